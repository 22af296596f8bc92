"""How forms are drawn: Django's own fields and widgets by Jinja2, which takes a third of the time for a form of thirty.

What the admin and other packages bring of their own is drawn by Django's templates, as they expect.

Why: docs/decisions/0073-forms-drawn-by-jinja2.md
"""

from functools import cached_property
from pathlib import Path

import django
from django.conf import settings
from django.forms.renderers import TemplatesSetting
from django.template.backends.jinja2 import Jinja2

from crm.kit.translation import gettext, ngettext

DJANGO = Path(django.__file__).parent / "forms" / "jinja2"


class FormRenderer(TemplatesSetting):
    """Finds the templates of forms: ours in templates/jinja2, else Django's."""

    @cached_property
    def engine(self) -> Jinja2:
        options = {"auto_reload": settings.DEBUG, "extensions": ["jinja2.ext.i18n"]}
        engine = Jinja2(
            {"NAME": "forms", "DIRS": [settings.FORM_TEMPLATES, DJANGO], "APP_DIRS": False, "OPTIONS": options}
        )
        engine.env.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
        # A lazy help text that is HTML (Django's rules for passwords) is known as such only once it is a text.
        engine.env.filters["evaluated"] = str
        return engine

    def get_template(self, template_name):
        """The template of that name. Raises TemplateDoesNotExist."""
        ours = template_name.startswith("django/forms/")
        return self.engine.get_template(template_name) if ours else super().get_template(template_name)

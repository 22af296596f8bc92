"""Form rendering: Django's fields and widgets by Jinja2, in a third of the time for a form of thirty fields.

Templates of the admin and of other packages use Django's engine, as they expect.

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
    """Renderer with our form templates in templates/jinja2, falling back to Django's."""

    @cached_property
    def engine(self) -> Jinja2:
        options = {"auto_reload": settings.DEBUG, "extensions": ["jinja2.ext.i18n"]}
        engine = Jinja2(
            {"NAME": "forms", "DIRS": [settings.FORM_TEMPLATES, DJANGO], "APP_DIRS": False, "OPTIONS": options}
        )
        engine.env.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
        # A lazy HTML help text (Django's password rules) is recognized as HTML only once evaluated.
        engine.env.filters["evaluated"] = str
        return engine

    def get_template(self, template_name):
        """Return the template called `template_name`. Raises TemplateDoesNotExist."""
        ours = template_name.startswith("django/forms/")
        return self.engine.get_template(template_name) if ours else super().get_template(template_name)

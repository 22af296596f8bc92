"""References of saved views and unfinished imports."""

from collections.abc import Iterator

from crm.conditions.uses import ConditionReference
from crm.entities import registry
from crm.entities.uses import FieldReference, ReferringModel, SettingUse, register
from crm.kit.translation import gettext as _
from crm.lists.models import ImportRun, SavedView


def _views() -> Iterator[SettingUse]:
    names = {entity.name: entity for entity in registry.all_entities()}
    for view in SavedView.objects.select_related("member__user"):
        kind = names.get(view.entity)
        plural, path = (kind.plural, kind.path) if kind else (view.entity, view.entity)
        # A member's view name is private.
        if view.member_id:
            label = _("{records}: view of {member}").format(records=plural, member=view.member)
        else:
            label = _("{records}: view “{name}”").format(records=plural, name=view.name)
        shown = [FieldReference(view.entity, key) for key in (*view.columns, view.sort.removeprefix("-")) if key]
        condition = ConditionReference(view.entity, view.condition)
        url = f"/{path}?view={view.slug}"
        yield SettingUse("saved_view", view.pk, label, url, [condition], shown, blocks=view.member_id is None)


def _imports() -> Iterator[SettingUse]:
    for run in ImportRun.objects.filter(state__in=ImportRun.OPEN):
        shown = [FieldReference(run.entity, path) for _column, path in run.mapping]
        label = _("Import of “{file}”").format(file=run.file_name)
        yield SettingUse("import_run", run.pk, label, run.get_absolute_url(), (), shown, blocks=False)


register(ReferringModel("saved_view", "lists.SavedView", ("condition", "columns", "sort"), _views))
register(ReferringModel("import_run", "lists.ImportRun", ("mapping",), _imports))

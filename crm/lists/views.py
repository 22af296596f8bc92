"""The list page shared by all entities, and its actions. Each URL returns the page or a fragment."""

from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from crm.conditions.chips import Chip, offered_words
from crm.conditions.condition import and_
from crm.conditions.errors import ConditionError
from crm.conditions.operands import operators
from crm.conditions.parse import parse
from crm.conditions.typed import read_operand
from crm.conditions.write import quoted
from crm.entities.fields import Field, FieldType
from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.responses import show_errors, toast, warn
from crm.kit.timelimit import TooSlow, long_request, time_limit
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.paging import CAP, Page, count, list_page_rows, parse_cursor
from crm.lists.selection import Selection, selection
from crm.lists.spec import BulkAction, spec_of
from crm.lists.state import ListState, read_state
from crm.lists.table_html import table_html
from crm.lists.verbs.delete_view import delete_view
from crm.lists.verbs.save_view import save_view
from crm.users.http import Request
from crm.users.limits import limited, searches

EMPTY = Page([], 0, 0, "", "")


@require_GET
@limited("search", applies=searches)
def list_page(request: Request, entity: str) -> HttpResponse:
    """Show the list: tabs, filters, rows, pages."""
    state = read_state(request, spec_of(entity))
    ticked = set(request.GET.get("ticked", "").split(","))
    found, too_slow = _rows(state, request.GET.get("after", ""))
    context = _frame(state) | {
        "page": found,
        "total": _total(found.total),
        "more": found.total > CAP,
        "body": table_html(entity, found.found, state.columns, ticked),
        "last": found.start + len(found.found) - 1,
        "too_slow": too_slow,
        "previous_url": state.url(after=found.previous, ticked=None) if found.previous else "",
        "next_url": state.url(after=found.next, ticked=None) if found.next else "",
    }
    is_part = request.htmx and request.htmx.target == "list"
    return render(request, "lists/part.html" if is_part else "lists/page.html", context)


def _frame(state: ListState) -> dict:
    """Return the context around the rows: views, chips, headings, actions and hidden form fields."""
    query = state.url(ticked=None).partition("?")[2]
    return {
        "state": state,
        "spec": state.spec,
        "query": query,
        "count_url": f"/{state.spec.path}/count?{query}",
        "actions": _actions(state),
        "chips": _chips(state),
        "sorts": _sorts(state),
        "kept": _kept(state, "q"),
        "narrowed": state.is_narrowed,
        "can_write": state.by.is_at_least(Role.REP),
    }


def _actions(state: ListState) -> list[BulkAction]:
    actions = (action for action in state.spec.actions if action.trash == state.in_trash)
    return [action for action in actions if state.by.is_at_least(action.role) and action.offered()]


@require_GET
def narrow(request: Request, entity: str) -> HttpResponse:
    """Show the quick filters: the menu's content for htmx, otherwise a page."""
    state = read_state(request, spec_of(entity))
    names = state.filters.filters
    context = {"state": state, "spec": state.spec, "kept": _kept(state, *names)}
    context["unfiltered"] = state.url(ticked=None, **dict.fromkeys(names))
    return render(request, "lists/narrow_form.html" if request.htmx else "lists/narrow.html", context)


def _kept(state: ListState, *gone: str) -> list[tuple[str, str]]:
    """Return the URL's parameters that a form must carry, except `gone`, the page position and ticked rows."""
    left_out = {*gone, "after", "ticked"}
    return [(name, value) for name, values in state.params.lists() if name not in left_out for value in values]


def _rows(state: ListState, after: str) -> tuple[Page, str]:
    if state.error:
        return EMPTY, ""
    cursor = parse_cursor(after, state.sort)
    if state.is_indexed:
        return list_page_rows(state, cursor), ""
    try:
        with time_limit():
            return list_page_rows(state, cursor), ""
    except TooSlow as error:
        return EMPTY, str(error)


def _total(total: int) -> str:
    return f"{formats.number(CAP)}+" if total > CAP else formats.number(total)


def _chips(state: ListState) -> list[dict]:
    chips = []
    if condition := state.condition:
        chips = [
            {"chip": chip, "without": state.url(where=condition.without(index), ticked=None)}
            for index, chip in enumerate(condition.chips())
        ]
    if state.params.get("change"):
        text = gettext("Records in one change")
        chips.append({"chip": Chip(text, text), "without": state.url(change=None, ticked=None)})
    return chips


def _sorts(state: ListState) -> list[dict]:
    """Return each column's heading, sort URL and current direction (as aria-sort value)."""
    now = {True: "descending", False: "ascending"}[state.sort.descending]
    return [
        {
            "column": column,
            "aria": now if column.field.key == state.sort.field.key else "none",
            "url": state.url(sort=_next_sort(state, column), ticked=None),
        }
        for column in state.columns
    ]


def _next_sort(state: ListState, column) -> str:
    if column.field.key != state.sort.field.key:
        return f"-{column.field.key}" if column.numeric else column.field.key
    return column.field.key if state.sort.descending else f"-{column.field.key}"


@require_GET
@limited("search", applies=searches)
def exact_count(request: Request, entity: str) -> HttpResponse:
    state = read_state(request, spec_of(entity))
    try:
        with time_limit():
            total = formats.number(0 if state.error else count(state.rows(), state.by, exact=True))
    except TooSlow:
        total = gettext("more than {count}").format(count=formats.number(CAP))
    template = "lists/count.html" if request.htmx else "lists/count_page.html"
    return render(request, template, {"total": total, "state": state})


@require_POST
def bulk(request: Request, entity: str) -> HttpResponse:
    """Run a bulk action on the selected records: show its form first, then run it and report the result."""
    spec = spec_of(entity)
    chosen = selection(request, spec)
    action = _action(request, spec)
    asks = action.form(request.actor)
    answered = request.POST.get("confirm") == "1" or not (asks.base_fields or chosen.everything)
    form = asks(request.POST if answered else None)
    if not (answered and form.is_valid()):
        return _ask(request, chosen, action, form)
    with time_limit():
        ids = chosen.ids()  # found once: the action's steps don't repeat an expensive query
    if not chosen.is_confirmed(len(ids)):
        return _ask(request, chosen, action, form)
    try:
        with long_request():
            outcome = action.run(spec.kind.model.objects.filter(pk__any_of=ids), form.cleaned_data, request.actor)
    except Invalid as error:
        show_errors(form, error)
        return _ask(request, chosen, action, form)
    _say(request, spec, action, outcome)
    return redirect(chosen.state.url(ticked=_still_ticked(spec, outcome)))


def _action(request: Request, spec) -> BulkAction:
    try:
        action = spec.action(request.POST.get("action", ""))
    except KeyError:
        raise Http404 from None
    if not request.actor.is_at_least(action.role):
        raise Http404
    return action


def _ask(request: Request, chosen: Selection, action: BulkAction, form) -> HttpResponse:
    total = _total_of(chosen)
    if not total:
        warn(request, chosen.state.error or gettext("Select at least one record first."))
        return redirect(chosen.state.url())
    query = chosen.state.url(ticked=None).partition("?")[2]
    context = {"chosen": chosen, "action": action, "form": form, "total": total, "query": query}
    context["spec"] = chosen.state.spec
    context["changed"] = chosen.confirmed is not None and chosen.confirmed != total
    return render(request, "lists/bulk.html", context, status=422 if form.errors else 200)


def _total_of(chosen: Selection) -> int:
    with time_limit():
        return chosen.count()


def _say(request: Request, spec, action: BulkAction, outcome: Outcome) -> None:
    done = len(outcome.done)
    if done:
        sentence = ngettext("{done}: {count} record.", "{done}: {count} records.", done)
        text = sentence.format(done=action.done, count=formats.number(done))
        toast(request, text, undo_url=reverse("undo", args=[outcome.change]))
    for sentence in dict.fromkeys(outcome.refused.values()):
        left = [pk for pk, why in outcome.refused.items() if why == sentence]
        names = spec.kind.model.objects.filter(pk__in=left[:3]).values_list(spec.kind.title_path, flat=True)
        warn(request, _skipped(", ".join(names), len(left) - 3, sentence))


def _skipped(names: str, others: int, reason: str) -> str:
    if others <= 0:
        return gettext("Skipped: {names}. {reason}").format(names=names, reason=reason)
    text = ngettext(
        "Skipped: {names} and {count} more. {reason}", "Skipped: {names} and {count} more. {reason}", others
    )
    return text.format(names=names, count=formats.number(others), reason=reason)


def _still_ticked(spec, outcome: Outcome) -> str | None:
    refused = spec.kind.model.objects.filter(pk__in=list(outcome.refused)[:50])
    return ",".join(refused.values_list("public_id", flat=True)) or None


@require_GET
def add_filter(request: Request, entity: str) -> HttpResponse:
    """Build one more condition part: field, operator, then value; or edit the whole text."""
    state = read_state(request, spec_of(entity))
    field = state.schema.find(request.GET.get("field", "")) if request.GET.get("field") else None
    error: str | ConditionError = state.error
    if field and "op" in request.GET:
        try:
            return redirect(state.url(where=_with(state, field, request), field=None, op=None, value=None))
        except ConditionError as problem:
            error = problem.sentence
    if "text" in request.GET:
        try:
            text = parse(request.GET["text"], entity).key_text
            return redirect(state.url(where=text, text=None, field=None))
        except ConditionError as problem:
            error = problem
    context = {
        "state": state,
        "spec": state.spec,
        "field": field,
        "operators": _operators(field) if field else (),
        "fields": [f for f in state.schema if operators(f)],
        "text": request.GET.get("text") or (state.condition.label_text if state.condition else state.where),
        "error": error,
        "chosen_op": request.GET.get("op", ""),
        "chosen": request.GET.getlist("value"),
        "hint": HINTS.get(field.type, "") if field else "",
        "kept": _kept(state, *BUILDER),
        "back": state.url(**dict.fromkeys(BUILDER)),
        "query": state.url(**dict.fromkeys(BUILDER)).partition("?")[2],
        "part": bool(request.htmx),
    }
    return render(request, "lists/filter_form.html" if request.htmx else "lists/filter.html", context)


def _operators(field: Field) -> list[tuple[str, str]]:
    """Return a field's operators with their words. Fields with choices offer `in`, others `=`."""
    other = ("=", "!=") if field.choices else ("in", "not in")  # not a text
    return [(operator, offered_words(field, operator)) for operator in operators(field) if operator not in other]


BUILDER = ("field", "op", "value", "text", "ticked")
HINTS = {
    FieldType.DATETIME: _("e.g. 2026-03-31, today or 30 days ago"),
    FieldType.DATE: _("e.g. 2026-03-31, today or 30 days ago"),
    FieldType.USER: _("e.g. me, a name or an email address"),
    FieldType.TEAM: _("e.g. my team or a team’s name"),
    FieldType.PERCENT: _("e.g. 50%"),
    FieldType.YES_NO: _("yes or no"),
}


def _with(state: ListState, field, request: Request) -> str:
    op, given = request.GET["op"], [value.strip() for value in request.GET.getlist("value") if value.strip()]
    values = [quoted(read_operand(field, value)) for value in given]
    several = op in ("in", "not in")  # not a text
    value = f"({', '.join(values)})" if several else (values[0] if values else '""')
    comparison = f"{field.key} {op}" if op.startswith("is ") else f"{field.key} {op} {value}"
    return parse(and_(state.where, comparison), state.spec.entity).key_text


@require_GET
def choose_columns(request: Request, entity: str) -> HttpResponse:
    state = read_state(request, spec_of(entity))
    gone = [name for name in request.GET if name == "column" or name.startswith("place_")]
    if "column" in request.GET:
        places = {key: request.GET.get(f"place_{key}", "") for key in request.GET.getlist("column")}
        order = sorted(places, key=lambda key: int(places[key]) if places[key].isdecimal() else 999)
        return redirect(state.url(columns=",".join(order), **dict.fromkeys(gone)))
    shown = {key: index for index, key in enumerate(state.column_keys, 1)}
    fields = [(field, shown.get(field.key)) for field in state.schema if state.shows(field.key)]
    fields.sort(key=lambda pair: pair[1] or 1000)
    context = {"state": state, "spec": state.spec, "fields": fields}
    context |= {"kept": _kept(state, "columns", *gone), "back": state.url(**dict.fromkeys(gone))}
    return render(request, "lists/columns_form.html" if request.htmx else "lists/columns.html", context)


def save(request: Request, entity: str) -> HttpResponse:
    """Save the current list under a name, for the member or the workspace."""
    state = read_state(request, spec_of(entity))
    errors = {}
    if request.method == "POST":
        try:
            if state.error:
                raise Invalid({"name": state.error})
            return _saved(request, state)
        except Invalid as error:
            errors = error.errors
        except ConditionError as error:
            errors = {"name": str(error)}
    context = {"state": state, "spec": state.spec, "errors": errors, "name": request.POST.get("name", "")}
    context["condition"] = state.condition.label_text if state.condition else ""
    context["may_share"] = request.actor.is_at_least(Role.MANAGER)
    return render(request, "lists/save.html", context, status=422 if errors else 200)


def _saved(request: Request, state: ListState) -> HttpResponse:
    over = request.POST.get("over") == "1"
    view = save_view(
        state.spec.entity,
        state.view.name if over else request.POST.get("name", ""),
        by=request.actor,
        condition=state.where,
        columns=tuple(state.column_keys),
        sort=("-" if state.sort.descending else "") + state.sort.field.key,
        slug=state.view.slug if over else "",
        shared=request.POST.get("shared") == "1",
    )
    toast(request, gettext("View “{name}” saved.").format(name=view.name))
    return redirect(f"/{state.spec.path}?{urlencode({'view': view.slug})}")


@require_POST
def remove_view(request: Request, entity: str, slug: str) -> HttpResponse:
    """Delete a saved view, keeping its records."""
    delete_view(entity, slug, by=request.actor)
    toast(request, gettext("View deleted. Your records aren’t affected."))
    return redirect(f"/{spec_of(entity).path}")

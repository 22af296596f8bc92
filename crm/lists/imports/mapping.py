"""Which column of a file feeds which field of an entity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm.entities import registry as entities
from crm.entities.fields import Field, FieldType, squash
from crm.entities.schema import Path, UnknownField, schema
from crm.kit.errors import Invalid
from crm.lists.imports import registry


class BadMap(Invalid):
    """A mapping that makes no sense for the file."""


@dataclass(frozen=True)
class MappedColumn:
    """One column feeds one field."""

    column: int
    header: str
    path: Path

    @property
    def link(self) -> str:
        """The key of the link that leads to the field's record, '' for the record itself."""
        return self.path.fields[0].key if len(self.path.fields) > 1 else ""

    @property
    def key(self) -> str:
        """The key that the value is stored under, on the record that it belongs to."""
        return f"custom.{self.path.field.key}" if self.path.field.custom else self.path.field.key


@dataclass(frozen=True)
class Mapping:
    """The feeds of a file, and the names of the columns that feed nothing."""

    feeds: tuple[MappedColumn, ...]
    ignored: tuple[str, ...]

    def feed(self, path_key: str) -> MappedColumn | None:
        """What feeds a field, None for nothing."""
        return next((feed for feed in self.feeds if feed.path.key == path_key), None)

    def stored(self) -> list[list]:
        """As a run keeps it: [column, path] pairs."""
        return [[feed.column, feed.path.key] for feed in self.feeds]


def build_mapping(entity: str, header: Sequence[str], wanted: Iterable[Sequence]) -> Mapping:
    """The mapping of (column, field name) pairs. Raises BadMap for a field that is unknown, closed or fed twice."""
    feeds: dict[str, MappedColumn] = {}
    for column, name in wanted:
        feed = MappedColumn(column, header[column], importable(entity, name))
        other = feeds.setdefault(feed.path.key, feed)
        if other.column != column:
            raise BadMap(f"“{other.header}” and “{feed.header}” both feed {feed.path.label}: keep one.")
    used = {feed.column for feed in feeds.values()}
    if not used:
        raise BadMap(f"No column feeds a field. The file has: {', '.join(header)}.")
    return Mapping(tuple(feeds.values()), tuple(name for n, name in enumerate(header) if n not in used))


def importable(entity: str, name: str) -> Path:
    """The field called `name`, over a link too, if an import may set it. Raises BadMap with a sentence."""
    try:
        path = schema(entity).path(name)
    except UnknownField as error:
        raise BadMap(str(error)) from None
    path = _without_title(path)
    if path.key not in {choice.key for choice in choices(entity)}:
        raise BadMap(f"{path.label} cannot be imported: it is set by what happens.")
    return path


def _without_title(path: Path) -> Path:
    """The link itself for company.name: a company is named by its name."""
    link, *rest = path.fields
    if len(rest) == 1 and link.editable and rest[0].key == entities.get(link.target).title:
        return schema(path.entity).follow([link.key])
    return path


def choices(entity: str) -> list[Path]:
    """Every path that an import may feed, the entity's own fields first."""
    own = schema(entity)
    paths = [own.follow([f.key]) for f in own if _is_open(f, registry.importer(entity).also)]
    for link, relation in registry.relations(entity).items():
        paths += [own.follow([link, f.key]) for f in schema(relation.entity) if _is_open(f, relation.also)]
    return paths


def _is_open(field: Field, also: frozenset[str]) -> bool:
    return field.type is not FieldType.MANY and (field.editable or field.key in also)


def guess(entity: str, header: Sequence[str], taken: Sequence[tuple[int, str]] = ()) -> list[tuple[int, str]]:
    """(column, path) pairs: `taken` ones, and those of the other columns whose names say what they hold.

    One column for a field: the first that names it as we do (lead.source for one of a related record), else the first
    that names it as other products do, to whom a "Lead source" is the person's; else in words ("Lead country").
    """
    fed = {importable(entity, name).key for _, name in taken}
    pairs, columns = list(taken), {column for column, _ in taken}
    for names in (_own_names, _names_elsewhere, _names_in_words):
        known = {squash(name): path for path in reversed(choices(entity)) for name in names(path)}
        for column, name in enumerate(header):
            path = known.get(squash(name))
            if path and column not in columns and path.key not in fed:
                pairs.append((column, path.key))
                columns.add(column)
                fed.add(path.key)
    return sorted(pairs)


def _own_names(path: Path) -> list[str]:
    *links, field = path.fields
    names = [name for name in (field.key, field.label, field.api) if name]
    return [f"{links[0].label}.{name}" for name in names] if links else names


def _names_in_words(path: Path) -> list[str]:
    *links, field = path.fields
    names = [name for name in (field.key, field.label, field.api) if name]
    return [path.label, *(f"{links[0].label} {name}" for name in names)] if links else []


def _names_elsewhere(path: Path) -> tuple[str, ...]:
    elsewhere = registry.importer(path.entity).elsewhere.get(path.key, ())
    return (*path.field.aliases, *elsewhere) if len(path.fields) == 1 else elsewhere


def read_map(text: str, header: Sequence[str]) -> tuple[int, str]:
    """(column, field name) of a "CSV column=field". Raises BadMap for a column that is missing, or there twice."""
    name, equals, field = text.rpartition("=")
    if not equals or not name.strip() or not field.strip():
        raise BadMap(f"“{text}” maps nothing: write it as CSV column=field.")
    columns = [column for column, head in enumerate(header) if squash(head) == squash(name)]
    if not columns:
        raise BadMap(f"The file has no column “{name.strip()}”; it has: {', '.join(header)}.")
    if len(columns) > 1:
        raise BadMap(f"The file has {len(columns)} columns called “{name.strip()}”: rename all but one.")
    return columns[0], field.strip()

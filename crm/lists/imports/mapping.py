"""Mapping of a file's columns to the fields of an entity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm.entities import registry as entities
from crm.entities.fields import Field, FieldType, squash
from crm.entities.schema import Path, UnknownField, schema
from crm.kit.errors import Invalid
from crm.kit.translation import gettext, in_english, speak
from crm.lists.imports import registry


class BadMap(Invalid):
    """An invalid mapping for the file."""


@dataclass(frozen=True)
class MappedColumn:
    """One column mapped to one field."""

    column: int
    header: str
    path: Path

    @property
    def link(self) -> str:
        """The key of the link to the field's record, '' for the record itself."""
        return self.path.fields[0].key if len(self.path.fields) > 1 else ""

    @property
    def key(self) -> str:
        """The storage key of the value on its record."""
        return f"custom.{self.path.field.key}" if self.path.field.custom else self.path.field.key


@dataclass(frozen=True)
class Mapping:
    """The mapped columns of a file, and the names of unmapped ones."""

    feeds: tuple[MappedColumn, ...]
    ignored: tuple[str, ...]

    def feed(self, path_key: str) -> MappedColumn | None:
        """Return the column mapped to a field, or None."""
        return next((feed for feed in self.feeds if feed.path.key == path_key), None)

    def stored(self) -> list[list]:
        """Return [column, path] pairs, as stored in a run."""
        return [[feed.column, feed.path.key] for feed in self.feeds]


def build_mapping(entity: str, header: Sequence[str], wanted: Iterable[Sequence]) -> Mapping:
    """Return the mapping of (column, field name) pairs. Raises BadMap for an unknown, closed or repeated field."""
    feeds: dict[str, MappedColumn] = {}
    for column, name in wanted:
        feed = MappedColumn(column, header[column], importable(entity, name))
        other = feeds.setdefault(feed.path.key, feed)
        if other.column != column:
            sentence = gettext("“{first}” and “{second}” are both mapped to {field}. Keep one.")
            raise BadMap(sentence.format(first=other.header, second=feed.header, field=feed.path.label))
    used = {feed.column for feed in feeds.values()}
    if not used:
        sentence = gettext("No columns are mapped to a field. Columns in the file: {names}.")
        raise BadMap(sentence.format(names=", ".join(header)))
    return Mapping(tuple(feeds.values()), tuple(name for n, name in enumerate(header) if n not in used))


def importable(entity: str, name: str) -> Path:
    """Return the importable field called `name`, over a link too. Raises BadMap with a message."""
    try:
        path = schema(entity).path(name)
    except UnknownField as error:
        raise BadMap(str(error)) from None
    path = _without_title(path)
    if path.key not in {choice.key for choice in choices(entity)}:
        raise BadMap(gettext("{field} is set automatically and can’t be imported.").format(field=path.label))
    return path


def _without_title(path: Path) -> Path:
    """Return the link itself for company.name: a company is identified by its name."""
    link, *rest = path.fields
    if len(rest) == 1 and link.editable and rest[0].key == entities.get(link.target).title:
        return schema(path.entity).follow([link.key])
    return path


def choices(entity: str) -> list[Path]:
    """Return every importable path, the entity's own fields first."""
    own = schema(entity)
    paths = [own.follow([f.key]) for f in own if _is_open(f, registry.importer(entity).also)]
    for link, relation in registry.relations(entity).items():
        fields = (field for field in schema(relation.entity) if field.key not in relation.closed)
        paths += [own.follow([link, field.key]) for field in fields if _is_open(field, relation.also)]
    return paths


def _is_open(field: Field, also: frozenset[str]) -> bool:
    return field.type is not FieldType.MANY and (field.editable or field.key in also)


def guess(entity: str, header: Sequence[str], taken: Sequence[tuple[int, str]] = ()) -> list[tuple[int, str]]:
    """Return (column, path) pairs: `taken`, plus columns with a recognized name.

    One column per field: first by our names (lead.source for a related record's), then by other products' names, to
    whom a "Lead source" is the person's, then in words ("Lead country").
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
    if not links:
        return _names(field)
    return [f"{link}.{name}" for link in _labels(links[0]) for name in _names(field)]


def _names_in_words(path: Path) -> list[str]:
    *links, field = path.fields
    if not links:
        return []
    with speak("en"):
        english = path.label
    return [path.label, english, *(f"{link} {name}" for link in _labels(links[0]) for name in _names(field))]


def _names(field: Field) -> list[str]:
    return [name for name in (field.key, *_labels(field), field.api) if name]


def _labels(field: Field) -> tuple[str, str]:
    """Return the label in the active language and in English, as in exports."""
    return str(field.label), in_english(field.label)


def _names_elsewhere(path: Path) -> tuple[str, ...]:
    elsewhere = registry.importer(path.entity).elsewhere.get(path.key, ())
    return (*path.field.aliases, *elsewhere) if len(path.fields) == 1 else elsewhere


def read_map(text: str, header: Sequence[str]) -> tuple[int, str]:
    """Parse "CSV column=field" to (column, field name). Raises BadMap for a missing or duplicated column."""
    name, equals, field = text.rpartition("=")
    if not equals or not name.strip() or not field.strip():
        raise BadMap(gettext("“{text}” isn’t a valid mapping. Use the form CSV column=field.").format(text=text))
    columns = [column for column, head in enumerate(header) if squash(head) == squash(name)]
    if not columns:
        sentence = gettext("The file has no column “{name}”. Its columns are: {names}.")
        raise BadMap(sentence.format(name=name.strip(), names=", ".join(header)))
    if len(columns) > 1:
        sentence = gettext("The file has {count} columns named “{name}”. Rename all but one.")
        raise BadMap(sentence.format(count=len(columns), name=name.strip()))
    return columns[0], field.strip()

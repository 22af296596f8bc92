"""What an import has to remember of the whole file, kept out of memory: a database of its own, gone when it is closed.

A million keys in a dict take 200 MB; SQLite pages them out to a temporary file that has no name.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping


class Scratch:
    """Which keys a file has used and on which line, which it mentions anywhere, what it said first of something, and
    links to be made at its end.

    What a batch noted counts from commit() on, like the batch itself.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False)
        self._database.executescript(
            "PRAGMA cache_size = -16000;"  # KiB
            "CREATE TABLE used (key TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID;"
            "CREATE TABLE said (place TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
            "CREATE TABLE mentioned (key TEXT PRIMARY KEY) WITHOUT ROWID;"
            "CREATE TABLE pending (line INTEGER PRIMARY KEY, record INTEGER, target TEXT, changed INTEGER);"
        )
        self.commit, self.rollback, self.close = (
            self._database.commit,
            self._database.rollback,
            self._database.close,
        )

    def used(self, keys: Iterable[str]) -> dict[str, int]:
        """key → line, for those of the keys that an earlier row has used."""
        sql = "SELECT key, line FROM used WHERE key IN (SELECT value FROM json_each(?))"
        return dict(self._database.execute(sql, [json.dumps(list(keys))]))

    def use(self, keys: Mapping[str, int]) -> None:
        self._database.executemany("INSERT OR IGNORE INTO used VALUES (?, ?)", keys.items())

    def repeats(self, keys: Mapping[int, Iterable[str]]) -> dict[int, int]:
        """line → the earlier line that has one of its keys, for rows that come again; the keys of the others are
        noted."""
        known = self.used([key for own in keys.values() for key in own])
        lines, found = dict(known), {}
        for line, own in keys.items():
            if earlier := next((lines[key] for key in own if key in lines), 0):
                found[line] = earlier
            else:
                lines |= dict.fromkeys(own, line)
        self.use({key: line for key, line in lines.items() if key not in known})
        return found

    def first_said(self, values: Mapping[str, str]) -> dict[str, str]:
        """By place what the file said there first; noted of places where nothing was said before."""
        self._database.executemany("INSERT OR IGNORE INTO said VALUES (?, ?)", values.items())
        sql = "SELECT place, value FROM said WHERE place IN (SELECT value FROM json_each(?))"
        return dict(self._database.execute(sql, [json.dumps(list(values))]))

    def mention(self, keys: Iterable[str]) -> None:
        """Note keys that occur somewhere in the file."""
        self._database.executemany("INSERT OR IGNORE INTO mentioned VALUES (?)", ((key,) for key in keys))

    def mentioned(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that occur somewhere in the file."""
        sql = "SELECT key FROM mentioned WHERE key IN (SELECT value FROM json_each(?))"
        return {key for (key,) in self._database.execute(sql, [json.dumps(list(keys))])}

    def link_later(self, line: int, record: int, target: str, changed: bool) -> None:
        """Note that the record of a line is to point to `target`; `changed`: the row counts as such already."""
        self._database.execute("INSERT INTO pending VALUES (?, ?, ?, ?)", (line, record, target, changed))

    def pending(self) -> Iterator[tuple[int, int, str, bool]]:
        """The links noted, as (line, record, target, changed), in the order of the file."""
        yield from self._database.execute("SELECT line, record, target, changed FROM pending ORDER BY line")

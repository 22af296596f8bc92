"""An import's memory of the whole file: a temporary database, deleted when closed.

A million keys in a dict take 200 MB; SQLite pages them out to an unnamed temporary file.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping


class Scratch:
    """Keys used by line, keys mentioned anywhere, first values per place, and links deferred to the end of the file.

    A batch's notes count from commit() on, like the batch itself.
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
        """Map each of the keys that an earlier row used to its line."""
        sql = "SELECT key, line FROM used WHERE key IN (SELECT value FROM json_each(?))"
        return dict(self._database.execute(sql, [json.dumps(list(keys))]))

    def use(self, keys: Mapping[str, int]) -> None:
        self._database.executemany("INSERT OR IGNORE INTO used VALUES (?, ?)", keys.items())

    def repeats(self, keys: Mapping[int, Iterable[str]]) -> dict[int, int]:
        """Map each row that repeats an earlier line's key to that line; note the keys of the other rows."""
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
        """Return the first value per place in the file; note new places."""
        self._database.executemany("INSERT OR IGNORE INTO said VALUES (?, ?)", values.items())
        sql = "SELECT place, value FROM said WHERE place IN (SELECT value FROM json_each(?))"
        return dict(self._database.execute(sql, [json.dumps(list(values))]))

    def mention(self, keys: Iterable[str]) -> None:
        self._database.executemany("INSERT OR IGNORE INTO mentioned VALUES (?)", ((key,) for key in keys))

    def mentioned(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that the file mentions."""
        sql = "SELECT key FROM mentioned WHERE key IN (SELECT value FROM json_each(?))"
        return {key for (key,) in self._database.execute(sql, [json.dumps(list(keys))])}

    def link_later(self, line: int, record: int, target: str, changed: bool) -> None:
        """Note that the record of a line must link to `target`; `changed`: the row already counts as changed."""
        self._database.execute("INSERT INTO pending VALUES (?, ?, ?, ?)", (line, record, target, changed))

    def pending(self) -> Iterator[tuple[int, int, str, bool]]:
        """Yield the noted links as (line, record, target, changed), in file order."""
        yield from self._database.execute("SELECT line, record, target, changed FROM pending ORDER BY line")

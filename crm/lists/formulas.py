"""Protection against formula injection: cells that a spreadsheet would run get an apostrophe, removed when read."""

from django.db.models import Func, TextField

# Characters that start a formula, including full-width forms, and those skipped before one.
DANGEROUS = (
    "=+-@\t\r\n\0\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def escape(text: str) -> str:
    """Return `text` made inert. Existing apostrophes before a formula get one more, so that unescape() is exact."""
    return f"'{text}" if text.lstrip("'")[:1] in DANGEROUS and text.lstrip("'") else text


def unescape(text: str) -> str:
    return text[1:] if text[:1] == "'" and escape(text) != text else text


class EscapedFormula(Func):
    """escape() in SQL. No NUL: stored text has none. LTRIM and LEFT cost a quarter of COPY, a regex half of it."""

    arity = 1
    output_field = TextField()

    def as_sql(self, compiler, connection, **context):
        text, params = compiler.compile(self.source_expressions[0])
        dangerous = DANGEROUS.replace("\0", "")
        marks = ", ".join(["%s"] * len(dangerous))
        sql = f"CASE WHEN SUBSTR(LTRIM({text}, ''''), 1, 1) IN ({marks}) THEN '''' || {text} ELSE {text} END"
        return sql, (*params, *dangerous, *params, *params)

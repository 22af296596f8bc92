"""Cells that a spreadsheet would run as a formula are written with an apostrophe before them, and read without it."""

from django.db.models import Func, TextField

# What a spreadsheet takes for the beginning of a formula, the full-width forms included, and what it skips before one.
DANGEROUS = (
    "=+-@\t\r\n\0\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def escape(text: str) -> str:
    """`text` made inert. Apostrophes before the formula get one more, so that unescape() always leads back."""
    return f"'{text}" if text.lstrip("'")[:1] in DANGEROUS and text.lstrip("'") else text


def unescape(text: str) -> str:
    return text[1:] if text[:1] == "'" and escape(text) != text else text


class EscapedFormula(Func):
    """escape() in SQL. No NUL: no stored text holds one. LTRIM and LEFT cost a quarter of COPY, a regex half of it."""

    arity = 1
    output_field = TextField()

    def as_sql(self, compiler, connection, **context):
        text, params = compiler.compile(self.source_expressions[0])
        dangerous = DANGEROUS.replace("\0", "")
        marks = ", ".join(["%s"] * len(dangerous))
        sql = f"CASE WHEN SUBSTR(LTRIM({text}, ''''), 1, 1) IN ({marks}) THEN '''' || {text} ELSE {text} END"
        return sql, (*params, *dangerous, *params, *params)

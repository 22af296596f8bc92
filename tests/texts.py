"""`make check`: untranslatable texts, concatenated sentences, and words we avoid.

A user-visible text is the whole argument of gettext() or a variant: `_("Enter a name.")`, `_("{name} was added.")
.format(name=name)`, never an f-string. Lines with other texts end with `# not a text`.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOPS = ("crm", "contacts", "leads", "audit")
MARKED = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}
# For developers and operators reading a log, never on a page.
UNREAD = {
    "ValueError", "TypeError", "KeyError", "RuntimeError", "LookupError", "NotImplementedError", "AssertionError",
    "ImproperlyConfigured", "OutsideTransaction", "UndeclaredEvent", "NoWorkspace", "WrongWorkspace", "CannotCompile",
    "UnknownHandler", "AttributeError", "OSError", "Warning", "Error", "RawSQL", "RunSQL", "compile", "execute",
    "debug", "info", "warning", "error", "exception", "log", "getLogger", "Critical", "strftime", "strptime",
}  # fmt: skip
LABELS = {"label", "help", "help_text", "title", "plural", "verbose_name", "verbose_name_plural", "placeholder", "lede"}
SENTENCE = re.compile(r"(?<![\w%])[A-Za-z][a-z’']+,? [A-Za-z(“]|[a-z]{2}[.…!?]$")
SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|CASE|CREATE|ALTER|ANALYZE|PRAGMA|NULL|NOT|AND|SET|BY|ON)\b"
)
BANNED = re.compile(
    r"\b(somebody|nobody|everybody|anybody|whoever|anew|any more|e-mails?|by itself|is to be|are to be|takes? back|"
    r"taken back|as in:)\b|, else ",
    re.IGNORECASE,
)
WORDS = re.compile(r"[A-Za-z][a-z]+")
ISO = re.compile(r"\|\s*(date|time|floatformat|intcomma|naturaltime|stringformat|pluralize)\b(?!:'Y-m-d'|:\"Y-m-d\")")
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
COMMENT = re.compile(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}|{#.*?#}|<!--.*?-->", re.DOTALL)
TRANSLATED = re.compile(r"{%\s*blocktranslate.*?{%\s*endblocktranslate\s*%}", re.DOTALL)
RAW = re.compile(r"<(script|style|code|kbd|svg)\b.*?</\1>", re.DOTALL)
ATTRIBUTE = re.compile(r'\b(aria-label|title|placeholder|alt|data-label|data-everything|data-drop-names)="([^"]*)"')
MESSAGE = re.compile(r"""{%\s*translate\s+(?:"([^"]*)"|'([^']*)')|endblocktranslate""")


def faults() -> Iterator[str]:
    """Yield a line per faulty text, with the fix."""
    for top in TOPS:
        for path in sorted((ROOT / top).rglob("*.py")):
            # Errors before settings load, and the demo's data, are English.
            if "migrations" not in path.parts and path.name not in ("environment.py", "demo.py"):
                yield from _of_python(path)
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in (".html", ".txt"):
            yield from _of_template(path)


def _of_python(path: Path) -> Iterator[str]:
    source = path.read_text()
    lines = source.split("\n")
    for node, parents in _walk(ast.parse(source), []):
        text, glued = _text_of(node)
        line = lines[node.end_lineno - 1] if text else ""
        if not text or line.rstrip().endswith("# not a text"):
            continue
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        if marked := _is_marked(parents):
            if any(isinstance(parent, ast.JoinedStr) for parent in parents):
                yield f"{where} xgettext doesn’t look into f-strings: call {_called(parents[-1])}() outside"
            if glued:
                yield f"{where} an f-string cannot be translated: _(“{{name}} …”).format(name=…)"
        elif _is_read(text, node, parents):
            yield f"{where} mark it with gettext: {text[:60]!r}"
        if marked and (banned := BANNED.search(text)):
            yield f"{where} “{banned[0]}” is a word that the product does not use: {text[:60]!r}"


def _walk(node: ast.AST, parents: list[ast.AST]) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    yield node, parents
    for child in ast.iter_child_nodes(node):
        if not _is_docstring(child, node) and not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from _walk(child, [*parents, node])


def _is_docstring(node: ast.AST, parent: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and hasattr(parent, "body")


def _text_of(node: ast.AST) -> tuple[str, bool]:
    """Return a literal's text, and whether it is an f-string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value, False
    if isinstance(node, ast.JoinedStr):
        parts = (value.value if isinstance(value, ast.Constant) else "{}" for value in node.values)
        return "".join(map(str, parts)), True
    return "", False


def _called(node: ast.AST) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", ""))


def _is_marked(parents: list[ast.AST]) -> bool:
    return any(_called(parent) in MARKED for parent in parents)


def _is_read(text: str, node: ast.AST, parents: list[ast.AST]) -> bool:
    """Return whether it is user-visible: a sentence, or a word used as label."""
    if any(isinstance(parent, ast.Raise) and _called(parent.exc) in UNREAD for parent in parents):
        return False
    if any(_called(parent) in UNREAD for parent in parents):
        return False
    if any(isinstance(parent, ast.keyword) and parent.arg == "aliases" for parent in parents):
        return False  # former names, still known to conditions and files
    keyword = parents[-1] if parents and isinstance(parents[-1], ast.keyword) else None
    if keyword and keyword.arg in LABELS and WORDS.search(text):
        return True
    return bool(SENTENCE.search(text)) and not SQL.search(text)


def _of_template(path: Path) -> Iterator[str]:
    source = path.read_text()
    kept = COMMENT.sub(_blank, source)
    for found in ISO.finditer(kept):
        yield f"{_at(path, source, found.start())} instead of |{found[1]} use |day, |moment, |number or |percent"
    for found in (*TRANSLATED.finditer(kept), *MESSAGE.finditer(kept)):
        if banned := BANNED.search(found[0]):
            yield f"{_at(path, source, found.start())} “{banned[0]}” is a word that the product does not use"
    if path.suffix == ".txt":
        bare = TAG.sub(_blank, TRANSLATED.sub(_blank, kept))
        texts = [(found.start(), found[0]) for found in re.finditer(r"[^\n]+", bare)]
    else:
        plain = RAW.sub(_blank, TRANSLATED.sub(_blank, kept))
        tagless = TAG.sub(_blank, plain)
        texts = [(found.start(2), found[2]) for found in ATTRIBUTE.finditer(tagless)]
        texts += [
            (found.start(1), found[1]) for found in re.finditer(r">([^<>]*)(?=<)", re.sub(r'"[^"]*"', _blank, tagless))
        ]
    for place, text in texts:
        if word := WORDS.search(text):
            where = _at(path, source, place + word.start())
            yield f"{where} mark it with {{% translate %}} or {{% blocktranslate %}}: {' '.join(text.split())[:60]!r}"


def _blank(found: re.Match) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _at(path: Path, source: str, place: int) -> str:
    return f"{path.relative_to(ROOT)}:{source.count(chr(10), 0, place) + 1}"


def main() -> int:
    wanted = sys.argv[1:]
    found = [fault for fault in faults() if not wanted or fault.startswith(tuple(wanted))]
    print("\n".join(found) if found else "All texts can be translated.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

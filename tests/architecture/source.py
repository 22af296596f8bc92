"""The product's code as syntax trees, for tests that read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("crm", "contacts", "leads", "audit")


@dataclass(frozen=True)
class Module:
    """One file: its path from the root, its dotted name, its text and its tree."""

    path: str
    name: str
    text: str
    tree: ast.Module

    @property
    def is_verb(self) -> bool:
        """Whether it is a verb's file."""
        return ".verbs." in self.name

    def functions(self) -> Iterator[ast.FunctionDef]:
        """Yield every function and method, including nested ones."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Yield (last name of the callee, call)."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield getattr(node.func, "attr", getattr(node.func, "id", "")), node

    def imports(self) -> Iterator[tuple[int, str]]:
        """Yield (line, dotted name) of every import, including those inside functions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the product except migrations."""
    paths = [path for top in TOPS for path in sorted((ROOT / top).rglob("*.py")) if "migrations" not in path.parts]
    return tuple(_module(path) for path in paths)


def _module(path: Path) -> Module:
    text = path.read_text()
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(str(path.relative_to(ROOT)), name, text, ast.parse(text))


def literal(node: ast.expr | None) -> str:
    """Return a text constant, with § per value of an f-string; '' for other nodes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) if isinstance(part, ast.Constant) else "§" for part in node.values)
    return ""

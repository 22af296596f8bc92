"""A sequence that is read anew at each use."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class LazySequence(Sequence[T]):
    """What `read` returns, whenever it is looked at: for declarations whose values each workspace decides."""

    def __init__(self, read: Callable[[], Sequence[T]]) -> None:
        self._read = read

    def __getitem__(self, index: Any) -> Any:
        return self._read()[index]

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[T]:
        return iter(self._read())

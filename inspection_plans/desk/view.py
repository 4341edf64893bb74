"""Filings by key and by reference: any row of a register is found in constant time."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any, TypeVar

from inspection_plans.filings import FiledTwice, Filings, Register, key_field, registers, rows
from inspection_plans.filings.words import Filed

R = TypeVar("R", bound=Filed)
# Any: a register's rows are of its own record, which a dict of all registers cannot say.
_Held = dict[str, Any]
# Most values have one row, which then stands there itself: a year of filings has millions.
_Index = dict[object, Any]
_NO_ROWS: _Held = {}


class View:
    """All rows of all registers, with an index for every field that was asked by.

    Indexes are made at the first question and kept when rows change.
    """

    def __init__(self) -> None:
        self._rows: dict[Register, _Held] = {}
        self._indexes: dict[tuple[Register, str], _Index] = {}
        self._fields = {register: key_field(register) for register in registers()}

    @classmethod
    def of(cls, filings: Filings) -> "View":
        """Read a document.

        Raises: FiledTwice ("filings.filed_twice").
        """
        made = cls()
        for register, given in rows(filings):
            if given is not None:
                made.give(register, given)
        return made

    def give(self, register: Register, given: Iterable[Filed]) -> None:
        """Add rows of one register, which is known from now on even when there are none.

        Raises: FiledTwice ("filings.filed_twice").
        """
        field = self._fields[register]
        held = self._rows.setdefault(register, {})
        for place, row in enumerate(given):
            key = getattr(row, field)
            if key in held:
                name = registers()[register]
                raise FiledTwice(field=f"{name}.{place}.{field}", register=name, key=key)
            held[key] = row
        for known, index in self._indexes.items():
            if known[0] is register:
                index.clear()
                self._fill(known, index)

    def known(self, register: Register) -> bool:
        """Say whether a register was given; a known one without a row says there is none."""
        return register in self._rows

    def one(self, register: type[R], key: str | None) -> R | None:
        """Return the row of a key, None where there is none."""
        return None if key is None else self._rows.get(register, _NO_ROWS).get(key)

    def all(self, register: type[R]) -> Iterator[R]:
        """Yield every row of a register, in the order it was given."""
        return iter(self._rows.get(register, _NO_ROWS).values())

    def count(self, register: Register) -> int:
        """Count the rows of a register."""
        return len(self._rows.get(register, _NO_ROWS))

    def many(self, register: type[R], field: str, value: object) -> tuple[R, ...]:
        """Return the rows whose field has a value, sorted by their keys.

        A field that is a frozenset has every value in it.
        """
        known = (register, field)
        index = self._indexes.get(known)
        if index is None:
            index = self._indexes[known] = {}
            self._fill(known, index)
        return _listed(index.get(value))

    def _fill(self, known: tuple[Register, str], index: _Index) -> None:
        register, field = known
        for row in self._rows.get(register, _NO_ROWS).values():
            for value in _values(row, field):
                found = index.get(value)
                if found is None:
                    index[value] = row
                elif isinstance(found, list):
                    found.append(row)
                else:
                    index[value] = [found, row]
        key = attrgetter(self._fields[register])
        for found in index.values():
            if isinstance(found, list):
                found.sort(key=key)

    def put(self, register: Register, key: str, row: Filed | None) -> Filed | None:
        """Put a row in the place of its key, or take it away; return what was there."""
        held = self._rows.setdefault(register, {})
        before: Filed | None = held.pop(key, None)
        if row is not None:
            held[key] = row
        for (indexed, field), index in self._indexes.items():
            if indexed is register:
                self._move(index, field, before, row)
        return before

    def _move(self, index: _Index, field: str, before: Filed | None, row: Filed | None) -> None:
        if before is not None:
            for value in _values(before, field):
                self._drop(index, value, before)
        if row is not None:
            for value in _values(row, field):
                self._add(index, value, row)

    def _drop(self, index: _Index, value: object, row: Filed) -> None:
        found = index[value]
        if isinstance(found, list) and len(found) > 1:
            del found[self._place(found, row)]
        else:
            del index[value]

    def _add(self, index: _Index, value: object, row: Filed) -> None:
        found = index.get(value)
        if found is None:
            index[value] = row
            return
        if not isinstance(found, list):
            found = index[value] = [found]
        found.insert(self._place(found, row), row)

    def _place(self, found: list[Filed], row: Filed) -> int:
        """Return where a row stands or belongs, without walking a long list."""
        key = attrgetter(self._fields[type(row)])
        return bisect_left(found, key(row), key=key)


def _values(row: Filed, field: str) -> Iterable[object]:
    value = getattr(row, field)
    return value if isinstance(value, frozenset) else (value,)


def _listed(found: Any) -> tuple[Any, ...]:  # noqa: ANN401 - an entry of an index
    if found is None:
        return ()
    return tuple(found) if isinstance(found, list) else (found,)

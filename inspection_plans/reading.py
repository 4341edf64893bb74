"""YAML text to frozen records, and refusals that name file, line and clause."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import yaml

from inspection_plans import records
from inspection_plans.errors import RuleRefusal
from inspection_plans.records import Fault, Flaw, Mismatch, Path

T = TypeVar("T")


class PackRefusal(RuleRefusal):
    """Root of what can be wrong with pack files; facts are file, line, clause and more.

    ``also``: what else is wrong in the same file, in order.
    """

    code: ClassVar[str] = "packs.refused"
    also: tuple["PackRefusal", ...] = ()


class Unreadable(PackRefusal):
    """The file is not YAML, or holds a day that is none."""

    code: ClassVar[str] = "packs.unreadable"


class DuplicateKey(PackRefusal):
    """A mapping says the same key twice; YAML would silently keep the last."""

    code: ClassVar[str] = "packs.duplicate_key"


class UnknownKey(PackRefusal):
    """A record has a key that no rule reads."""

    code: ClassVar[str] = "packs.unknown_key"


class UnknownValue(PackRefusal):
    """A value outside a closed list."""

    code: ClassVar[str] = "packs.unknown_value"


class Malformed(PackRefusal):
    """A key is missing, or a value has the wrong type or form."""

    code: ClassVar[str] = "packs.malformed"


_REFUSED: dict[Flaw, type[PackRefusal]] = {
    Flaw.MISSING: Malformed,
    Flaw.MALFORMED: Malformed,
    Flaw.UNKNOWN_KEY: UnknownKey,
    Flaw.UNKNOWN_VALUE: UnknownValue,
}


@dataclass(frozen=True)
class Source:
    """The text of one file, for turning a place inside it into a line."""

    name: str
    text: str

    def line(self, path: Path) -> int:
        """Return the 1-based line where ``path`` starts: the key's, or the list entry's.

        A key that is not there is told at the mapping that lacks it.
        """
        node: Any = yaml.compose(self.text, Loader=yaml.CSafeLoader)
        if node is None:
            return 1
        mark = node.start_mark
        for step in path:
            if isinstance(node, yaml.SequenceNode):
                node = node.value[int(step)]
                mark = node.start_mark
            else:
                pairs = [pair for pair in node.value if pair[0].value == str(step)]
                if not pairs:
                    break
                key, node = pairs[0]
                mark = key.start_mark
        return int(mark.line) + 1

    def refuse(
        self, refusal: type[PackRefusal], path: Path, clause: str | None = None, **facts: object
    ) -> PackRefusal:
        """Make a refusal that names this file, the line of ``path`` and the clause or item."""
        field = ".".join(str(step) for step in path) or None
        return refusal(field=field, file=self.name, line=self.line(path), clause=clause, **facts)


class _Repeated(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, key: str, line: int) -> None:
        super().__init__(key, line)
        self.key = key
        self.line = line


class _Strict(yaml.CSafeLoader):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401 - any YAML
        try:
            return super().construct_object(node, deep)
        except ValueError as wrong:
            # The 30th of February: looks like a day, and the standard library says no.
            raise yaml.MarkedYAMLError(problem=str(wrong), problem_mark=node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise _Repeated(key, node.value[place][0].start_mark.line + 1)
        return super().construct_mapping(node, deep)


def _nearest(data: Any, path: Path) -> str | None:  # noqa: ANN401 - decoded YAML of unknown shape
    """Name the nearest clause, pack, item or setting above ``path``."""
    name = _name(data)
    for step in path:
        if isinstance(data, dict) and step not in data:
            break
        data = data[step]
        name = _name(data) or name
    return name


def _name(data: object) -> str | None:
    """Read the id of a clause, pack, sheet or gate, the code of an item, the name of a setting."""
    if not isinstance(data, dict):
        return None
    owner = {"answer": "code", "basis": "name"}
    keys = ["id", *(key for mark, key in owner.items() if mark in data)]
    return next((data[key] for key in keys if isinstance(data.get(key), str)), None)


def decode(source: Source, shape: type[T]) -> T:
    """Decode one YAML file into ``shape``; nothing unknown, nothing doubled, nothing guessed.

    Raises: Unreadable ("packs.unreadable"), DuplicateKey ("packs.duplicate_key"),
    UnknownKey ("packs.unknown_key"), UnknownValue ("packs.unknown_value"),
    Malformed ("packs.malformed"); the first one, with the others of the file as ``also``.
    """
    try:
        data = yaml.load(source.text, Loader=_Strict)  # noqa: S506 - a safe loader's child
    except _Repeated as repeated:
        raise DuplicateKey(
            field=repeated.key, file=source.name, line=repeated.line, clause=None
        ) from None
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise Unreadable(
            file=source.name, line=line, clause=None, message=str(broken.problem)
        ) from None
    try:
        return records.decode(data, shape)
    except Mismatch as wrong:
        first, *also = [_told(source, data, fault) for fault in wrong.faults]
        first.also = tuple(also)
        raise first from None


def _told(source: Source, data: Any, fault: Fault) -> PackRefusal:  # noqa: ANN401 - decoded YAML
    return source.refuse(
        _REFUSED[fault.flaw], fault.path, _nearest(data, fault.path), message=fault.message
    )

"""What happened, as those who called saw it: an invocation, then ok, fail, or nobody knows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Phase = Literal["invoke", "ok", "fail", "unknown", "note"]


@dataclass(frozen=True)
class Event:
    """One line: ``call`` ties the end of a call to its invocation; a note stands alone."""

    call: int
    phase: Phase
    who: str
    what: str
    facts: Mapping[str, Any]


@dataclass
class History:
    """Everything that callers saw, in the order in which they saw it."""

    events: list[Event] = field(default_factory=list)

    def invoke(self, who: str, what: str, **facts: Any) -> Event:
        """A call begins; hand the event to ``end``."""
        return self._add(len(self.events), "invoke", who, what, facts)

    def end(self, begun: Event, phase: Phase, **facts: Any) -> Event:
        """A call came back (ok, fail), or its answer was lost (unknown)."""
        return self._add(begun.call, phase, begun.who, begun.what, {**begun.facts, **facts})

    def note(self, who: str, what: str, **facts: Any) -> None:
        """Something that is no call: a wipe, freed bytes, a planted fault."""
        self._add(len(self.events), "note", who, what, facts)

    def of(self, what: str, *phases: Phase) -> Iterator[Event]:
        """The events of one kind, oldest first."""
        wanted = phases or ("invoke", "ok", "fail", "unknown", "note")
        return (one for one in self.events if one.what == what and one.phase in wanted)

    def _add(
        self, call: int, phase: Phase, who: str, what: str, facts: Mapping[str, Any]
    ) -> Event:
        event = Event(call, phase, who, what, facts)
        self.events.append(event)
        return event

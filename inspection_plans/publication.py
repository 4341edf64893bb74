"""公示: results in the standard wordings, never with the name of a natural person."""

import unicodedata
from collections.abc import Collection, Sequence
from datetime import date
from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.gates import standard_wordings
from inspection_plans.vocabulary import Wording, Wordings
from inspection_plans.workdays import Calendar, Due, Unit

# Signs that are put between the characters of a name to hide it, or belong to a foreign name.
_DOTS = frozenset("·•・‧.-_*")


class PersonalName(RuleRefusal):
    """The text holds the name of a natural person; the refusal does not repeat it."""

    code: ClassVar[str] = "publication.personal_name"
    family: ClassVar[Family] = Family.GATE


def result(codes: Sequence[str], wordings: Wordings) -> tuple[Wording, ...]:
    """Return the wordings of a result in the order of the list, not of the codes.

    Raises: UnknownWording ("publication.unknown_wording").
    Source: casework section 6, gate G9.
    """
    standard_wordings(codes, [wording.code for wording in wordings.wordings])
    return tuple(wording for wording in wordings.wordings if wording.code in codes)


def nameless(text: str, names: Collection[str]) -> None:
    """Refuse a text that holds one of the names, also when blanks, dots or width hide it.

    Raises: PersonalName ("publication.personal_name") with the number of names found.
    Source: casework gate G9.
    """
    plain = _plain(text)
    found = sum(bool(name) and name in plain for name in {_plain(name) for name in names})
    if found:
        raise PersonalName(field="text", gate="G9", found=found)


def due(concluded_on: date, working_days: int, calendar: Calendar) -> Due:
    """Return the last day to publish a result: conclusion plus the setting, in working days.

    Source: casework section 6; national-2021-71/6.2/double-random (results are made public).
    """
    return calendar.due(concluded_on, working_days, Unit.WORKING_DAY)


def _plain(text: str) -> str:
    """One width and case, without blanks, invisible signs and dots; sentences stay apart."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(
        sign for sign in folded if unicodedata.category(sign)[0] not in "ZC" and sign not in _DOTS
    )

"""Values of chance that nobody here can influence: dice before witnesses, beacons, lotteries."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from backend.services.accounts import SHANGHAI
from backend.services.errors import ServiceRefusal
from backend.services.records.draws import Announced
from backend.services.records.plans import Entropy
from inspection_plans import policy
from inspection_plans.draw.ceremony import DICE, WITNESSES
from inspection_plans.errors import Family
from inspection_plans.loader import jurisdiction_of

# What a source's value looks like; a beacon round is 32 bytes, a lottery its published numbers.
FORMS = {
    "drand": re.compile(r"[0-9a-f]{64}", re.ASCII),
    "lottery": re.compile(r"[0-9]{1,3}([ ,+-][0-9]{1,3}){0,31}", re.ASCII),
}
# Instant of round 1 (seconds since 1970) and seconds between rounds, as each chain's own
# information states them; both are fixed for the life of the chain.
BEACONS = {"quicknet": (1_692_803_367, 3), "default": (1_595_431_050, 30)}
ROUND = re.compile(r"(?P<beacon>[a-z]+)(/(?P<round>[1-9][0-9]{0,11}))?", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class DiceInvalid(ServiceRefusal):
    """Fewer than twenty ten-sided dice, another character, or fewer than two named witnesses."""

    code = "draw.dice_invalid"


class ValueInvalid(ServiceRefusal):
    """The value does not look like one of its source."""

    code = "draw.value_invalid"


class RefInvalid(ServiceRefusal):
    """The reference does not say which value of the source is meant."""

    code = "plan.entropy_ref"


class EntropyPast(ServiceRefusal):
    """The value named is known already, or could be before the freeze is public."""

    code = "draw.entropy_past"
    family = Family.CONFLICT


class ValueEarly(ServiceRefusal):
    """The value named does not exist yet; what was entered cannot be it."""

    code = "draw.value_early"
    family = Family.CONFLICT


def _day(ref: str) -> date:
    try:
        return date.fromisoformat(DAY.findall(ref)[0])
    except (IndexError, ValueError):
        raise RefInvalid(field="entropy", source="lottery", ref=ref) from None


def _beacon(ref: str) -> tuple[str, int | None]:
    found = ROUND.fullmatch(ref)
    if found is None or found["beacon"] not in BEACONS:
        raise RefInvalid(field="entropy", source="drand", ref=ref, beacons=sorted(BEACONS))
    return found["beacon"], int(found["round"]) if found["round"] else None


def check_ref(source: str, ref: str) -> None:
    """Check that a plan's reference can be followed: ``quicknet``, ``quicknet/4000000``, a date.

    Raises: RefInvalid ("plan.entropy_ref").
    """
    if source == "drand":
        _beacon(ref)
    if source == "lottery":
        _day(ref)


def _known_at(source: str, ref: str) -> datetime | None:
    """From which instant a value can be known; None for dice, thrown when they are thrown."""
    if source == "lottery":
        day = _day(ref)
        return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    if source == "drand":
        beacon, number = _beacon(ref)
        genesis, period = BEACONS[beacon]
        return datetime.fromtimestamp(genesis + ((number or 1) - 1) * period, UTC)
    return None


def _named(one: Entropy, earliest: datetime) -> Announced:
    if one.source == "drand":
        beacon, number = _beacon(one.ref)
        if number is None:
            genesis, period = BEACONS[beacon]
            number = -(-(int(earliest.timestamp()) + 1 - genesis) // period) + 1
            return Announced(one.source, f"{beacon}/{number}")
    known = _known_at(one.source, one.ref)
    if known is not None and known < earliest:
        raise EntropyPast(
            field="entropy", source=one.source, ref=one.ref, earliest=earliest.isoformat()
        )
    return Announced(one.source, one.ref)


def announce(entropy: Sequence[Entropy], *, at: datetime, region: int) -> tuple[Announced, ...]:
    """Name each source's value of the time to come; a bare beacon gets its next late round.

    Raises: EntropyPast ("draw.entropy_past") when a value is earlier than freeze plus margin.
    Source: draw.md sections 3.4 and 10 (clock games, source chosen afterwards).
    """
    margin = policy.number("entropy_margin_hours", jurisdiction_of(region))
    return tuple(_named(one, at + timedelta(hours=margin)) for one in entropy)


def check_due(source: str, ref: str, *, at: datetime) -> None:
    """Check that the value named can exist by now. Raises: ValueEarly ("draw.value_early")."""
    known = _known_at(source, ref)
    if known is not None and at < known:
        raise ValueEarly(field="ref", ref=ref, known_at=known.isoformat())


def check_value(source: str, value: str, witnesses: Sequence[str]) -> tuple[str, ...]:
    """Check a value and give back the witnesses' names, stripped, each once, in order.

    Raises: DiceInvalid, ValueInvalid.  Source: draw.md section 3.4.
    """
    names = tuple(dict.fromkeys(name.strip() for name in witnesses if name.strip()))
    if source == "dice":
        digits = value.isascii() and value.isdigit()
        if not digits or len(value) < DICE or len(names) < WITNESSES:
            raise DiceInvalid(field="value", least_dice=DICE, least_witnesses=WITNESSES)
    elif not FORMS[source].fullmatch(value):
        raise ValueInvalid(field="value", source=source)
    return names

"""Values of chance that nobody here can influence: dice before witnesses, beacons, lotteries."""

import re
from collections.abc import Sequence

from backend.services.errors import ServiceRefusal
from inspection_plans.draw.ceremony import DICE, WITNESSES

# What a source's value looks like; a beacon round is 32 bytes, a lottery its published numbers.
FORMS = {
    "drand": re.compile(r"[0-9a-f]{64}", re.ASCII),
    "lottery": re.compile(r"[0-9]{1,3}([ ,+-][0-9]{1,3}){0,31}", re.ASCII),
}


class DiceInvalid(ServiceRefusal):
    """Fewer than twenty ten-sided dice, another character, or fewer than two named witnesses."""

    code = "draw.dice_invalid"


class ValueInvalid(ServiceRefusal):
    """The value does not look like one of its source."""

    code = "draw.value_invalid"


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

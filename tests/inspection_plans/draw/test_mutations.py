"""Every single change of a whole record is found, although all later hashes are made anew.

What stays is the countersigned head: the forger has nobody's key. `python -m
tests.inspection_plans.draw.test_mutations` prints the counts.
"""

import copy
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inspection_plans.draw.verify import verify
from tests.inspection_plans.draw.cases import Office, Row, an_office, rehash
from tests.inspection_plans.draw.histories import (
    eventful,
    events_sealed,
    external,
    second_attempt,
    short_of_people,
    supplemented,
    with_a_chain,
)

Place = tuple[Any, ...]
Change = tuple[str, Place, Any]


def sealed() -> Row:
    """The sealed profile with every object row opened."""
    office = eventful()
    return office.sealed(*(row["id"] for row in office.frames["objects"]))


def of(make: Callable[..., Office], **more: bool) -> Callable[[], Row]:
    return lambda: make(**more).record()


RECORDS: dict[str, Callable[[], Row]] = {
    "feasible": of(an_office),
    "sm3": lambda: an_office("sm3").record(),
    "infeasible": of(short_of_people, again=False),
    "sent again": of(short_of_people),
    "void and again": of(second_attempt),
    "replaced": of(eventful),
    "events sealed": of(events_sealed),
    "replacement chain": of(with_a_chain),
    "supplemented": of(supplemented),
    "sealed rows": sealed,
}


def values(old: Any) -> list[Any]:
    """Other values of a leaf: near ones, empty ones, and one of another kind."""
    if isinstance(old, bool):
        return [not old, int(old), None]
    if isinstance(old, int):
        return [old + 1, old - 1, str(old), -old - 1]
    if isinstance(old, str):
        return [old + "0", old[:-1], old[::-1] + " ", None, [old]]
    return [0, "", "x", {}]


def changes(value: Any, at: Place = ()) -> Iterator[Change]:
    """Every change of one leaf, one deletion, one insertion, one change of order."""
    if isinstance(value, dict):
        yield "set", (*at, "zz"), 1
        for key, inner in value.items():
            yield "delete", (*at, key), None
            yield from changes(inner, (*at, key))
    elif isinstance(value, list):
        yield "insert", (*at, len(value)), 0
        for i, inner in enumerate(value):
            yield "delete", (*at, i), None
            yield "insert", (*at, i), copy.deepcopy(inner)
            if i and value[i - 1] != inner:
                yield "swap", (*at, i), None
            yield from changes(inner, (*at, i))
    else:
        yield from (("set", at, new) for new in values(value) if new != value or new is not value)


def means_nothing(change: Change) -> bool:
    """A row that is not opened proves nothing and hides nothing."""
    kind, at, _ = change
    return kind == "delete" and (at == ("openings",) or (len(at) == 2 and at[0] == "openings"))


def changed(whole: Row, change: Change) -> Row:
    """The record after the change, everything the forger can compute put right."""
    kind, at, new = change
    # The copies on the way alone: the rest is shared and nobody writes to it.
    twin: Any = dict(whole)
    inner = twin
    for key in at[:-1]:
        inner[key] = copy.copy(inner[key])
        inner = inner[key]
    if kind == "set":
        inner[at[-1]] = new
    elif kind == "delete":
        del inner[at[-1]]
    elif kind == "insert":
        inner.insert(at[-1], new)
    else:
        i = at[-1]
        inner[i - 1], inner[i] = inner[i], inner[i - 1]
    if at[0] == "log" and isinstance(twin.get("log"), list) and at[2:] not in HASHES:
        twin["log"] = put_right(whole["alg"], twin["log"])
    return twin


HASHES = (("hash",), ("prev",), ("seq",))


def put_right(alg: str, log: list[Any]) -> list[Any]:
    """The log with its numbers and hashes made anew, as far as its entries are entries."""
    try:
        return rehash(alg, [{**entry, "seq": i} for i, entry in enumerate(log)])
    except (TypeError, AttributeError, ValueError):
        return log


def missed(whole: Row, every: int = 1) -> tuple[int, list[Change]]:
    """How many changes were tried, and those that nobody would notice."""
    tried = [one for one in changes(whole) if not means_nothing(one)][::every]
    return len(tried), [one for one in tried if verify(changed(whole, one)).verdict != "failed"]


@pytest.mark.parametrize("name", RECORDS)
def test_every_change_is_found(name: str) -> None:
    """A thirteenth of all changes, evenly over the record; `make long` tries each."""
    whole = RECORDS[name]()
    assert verify(whole).ok
    tried, unseen = missed(whole, every=13)
    assert tried > 100
    assert unseen == []


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDS)
def test_every_single_change_is_found(name: str) -> None:
    tried, unseen = missed(RECORDS[name]())
    assert tried > 1500
    assert unseen == []


def test_a_draw_made_elsewhere_is_held_to_its_log_too() -> None:
    whole = external()
    assert verify(whole).verdict == "unverifiable"
    heads = [whole["log"][-1]["hash"]]
    tried = list(changes(whole))
    assert len(tried) > 100
    unseen = [one for one in tried if verify(changed(whole, one), heads).verdict != "failed"]
    assert unseen == []


def main() -> None:
    """Print how many changes were tried and missed, record by record."""
    for name, make in RECORDS.items():
        tried, unseen = missed(make())
        sys.stdout.write(f"{name}: {tried} changes, {len(unseen)} missed\n")
        sys.stdout.writelines(f"   {one}\n" for one in unseen[:20])


if __name__ == "__main__":
    main()

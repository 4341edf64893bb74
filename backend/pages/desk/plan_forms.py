"""A plan as a form: flat fields both ways, wrong fields by their names, three-way joining.

Rows that repeat (strata, sources of chance) are numbered fields, so that the form needs no
script; the page shows a few empty rows more than are filled. An empty row is no row.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from backend.services.records.plans import PlanDraft, PlanRecord

BEIJING = ZoneInfo("Asia/Shanghai")
STRATA, SOURCES = 40, 4
SPARE = 2
OBJECTS = ("training", "evaluation", "class_session")
TEXTS = ("code", "title", "year", "period", "window_from", "window_until")
NUMBERS = (
    "total",
    "reserve",
    "team_size",
    "frequency_cap",
    "cool_down_days",
    "tasks_open_at_hour",
    "reveal_within_hours",
    "disclose_after_days",
)
WORDS = ("objects", "mode", "base", "alg", "origin", "profile", "level_d_reason")
TICKS = ("unannounced", "level_d_accepted")
LISTS = ("kinds", "parties", "occupations")
OF_STRATUM = ("name", "ratio", "size", "min", "max", "visited")
Typed = Mapping[str, tuple[str, ...]]
# What msgspec says: which field is missing or wrong, and its path in a plan's JSON.
PLACE = re.compile(r"\$(?:\.spec)?(?:\.(strata|entropy|visits)\[(\d+)\])?(?:\.([a-z_]+))?")
MISSING = re.compile(r"required field `([a-z_]+)`")
ROW = {"strata": "s", "entropy": "e", "visits": "v"}


def _fields() -> list[tuple[str, Any, Any]]:
    single = [*TEXTS, "fire_on", "skills", *NUMBERS, *WORDS, "targeted", *TICKS, "rev"]
    single += [f"s{n}_{name}" for n in range(STRATA) for name in (*OF_STRATUM, "regions")]
    single += [f"e{n}_{name}" for n in range(SOURCES) for name in ("source", "ref")]
    single += [f"v_{kind}_{name}" for kind in OBJECTS for name in ("kind", "sheet")]
    many = [*LISTS, *(f"s{n}_risk" for n in range(STRATA))]
    return [
        *((name, str | None, None) for name in single),
        *((name, tuple[str, ...], ()) for name in many),
    ]


PlanForm = msgspec.defstruct("PlanForm", _fields(), frozen=True)


def _words(text: str | None) -> list[str]:
    """Words that a person kept apart by commas of either kind, or by spaces."""
    return [word for word in re.split(r"[,，、;；\s]+", text or "") if word]


def _stratum(form: Any, n: int) -> dict[str, Any]:  # noqa: ANN401 - a generated Struct
    found: dict[str, Any] = {name: getattr(form, f"s{n}_{name}") for name in OF_STRATUM}
    found |= {
        "risk": getattr(form, f"s{n}_risk"),
        "regions": _words(getattr(form, f"s{n}_regions")),
    }
    return {name: value for name, value in found.items() if value not in (None, (), [])}


def _visits(form: Any) -> list[dict[str, str]]:  # noqa: ANN401 - a generated Struct
    """A rule for each kind of object that the plan draws from."""
    drawn = ("class_session",) if form.objects == "class_session" else form.kinds
    return [
        {
            "object": kind,
            "kind": getattr(form, f"v_{kind}_kind") or "",
            "sheet": getattr(form, f"v_{kind}_sheet") or "",
        }
        for kind in drawn
        if kind in OBJECTS
    ]


def _spec(form: Any) -> dict[str, Any]:  # noqa: ANN401 - a generated Struct
    sources = [
        {"source": getattr(form, f"e{n}_source"), "ref": getattr(form, f"e{n}_ref") or ""}
        for n in range(SOURCES)
        if getattr(form, f"e{n}_source")
    ]
    found = {name: getattr(form, name) for name in (*NUMBERS, *WORDS)}
    return {
        **{name: value for name, value in found.items() if value is not None},
        **{name: getattr(form, name) == "true" for name in TICKS},
        **{name: getattr(form, name) for name in LISTS},
        "parties": form.parties or ("operator",),
        "skills": _words(form.skills),
        "strata": [one for n in range(STRATA) if (one := _stratum(form, n))],
        "visits": _visits(form),
        "entropy": sources,
    }


def _row(form: Any, kind: str, place: int) -> str:  # noqa: ANN401 - a generated Struct
    """The form's row of the ``place``-th row that was filled in."""
    if kind == "strata":
        filled = [n for n in range(STRATA) if _stratum(form, n)]
        return f"s{filled[place]}_"
    if kind == "entropy":
        filled = [n for n in range(SOURCES) if getattr(form, f"e{n}_source")]
        return f"e{filled[place]}_"
    return f"v_{_visits(form)[place]['object']}_"


def _told(fault: msgspec.ValidationError, form: Any) -> str:  # noqa: ANN401 - a generated Struct
    """The same fault by the name of the form's own field."""
    text = str(fault)
    found = PLACE.search(text)
    kind, place, name = found.groups() if found else (None, None, None)
    if missing := MISSING.search(text):
        name = missing[1]
    row = _row(form, kind, int(place)) if kind and place else ""
    field = {"fire_at": "fire_on", None: "strata"}.get(name, name)
    if missing:
        return f"Object missing required field `{row}{field}`"
    why = re.sub(r" - at `.*", "", text)
    return f"{why} - at `$.{row}{field}`"


def draft(form: Any) -> PlanDraft:  # noqa: ANN401 - a generated Struct
    """The plan that a form says. Raises: msgspec.ValidationError by the form's own fields."""
    values: dict[str, Any] = {name: getattr(form, name) for name in TEXTS}
    values = {name: value for name, value in values.items() if value is not None}
    try:
        if form.fire_on:
            local = datetime.fromisoformat(form.fire_on).replace(tzinfo=BEIJING)
            values["fire_at"] = local.isoformat()
    except ValueError:
        raise msgspec.ValidationError("Invalid datetime - at `$.fire_on`") from None
    values |= {"targeted": form.targeted == "true", "spec": _spec(form)}
    try:
        return msgspec.convert(values, PlanDraft, strict=False)
    except msgspec.ValidationError as fault:
        raise msgspec.ValidationError(_told(fault, form)) from None


def _flat(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    return "" if value is None else str(value)


def values(plan: PlanDraft) -> dict[str, tuple[str, ...]]:
    """A plan as the fields of the form; fields that say nothing are empty."""
    spec = plan.spec
    found: dict[str, tuple[str, ...]] = {name: (_flat(getattr(plan, name)),) for name in TEXTS}
    found["fire_on"] = (plan.fire_at.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M"),)
    found["targeted"] = (_flat(plan.targeted),)
    for name in (*NUMBERS, *WORDS, *TICKS):
        found[name] = (_flat(getattr(spec, name)),)
    for name in LISTS:
        found[name] = tuple(getattr(spec, name))
    found["skills"] = ("，".join(spec.skills),)
    for n, stratum in enumerate(spec.strata[:STRATA]):
        for name in OF_STRATUM:
            found[f"s{n}_{name}"] = (_flat(getattr(stratum, name)),)
        found[f"s{n}_risk"] = stratum.risk
        found[f"s{n}_regions"] = ("，".join(map(str, stratum.regions)),)
    for n, source in enumerate(spec.entropy):
        found[f"e{n}_source"], found[f"e{n}_ref"] = (source.source,), (source.ref,)
    for rule in spec.visits:
        found[f"v_{rule.object}_kind"] = (rule.kind,)
        found[f"v_{rule.object}_sheet"] = (rule.sheet,)
    return {name: tuple(one for one in value if one) for name, value in found.items()}


def rows(shown: Typed) -> int:
    """How many rows of strata the form shows: those filled in, and a few to fill."""
    filled = [int(found[1]) for name in shown if (found := re.match(r"s(\d+)_", name))]
    used = [n for n in filled if any(shown.get(f"s{n}_{name}") for name in ("name", "ratio"))]
    return min(max(used, default=-1) + 1 + SPARE, STRATA)


class Joined(msgspec.Struct, frozen=True):
    """Two people's work in one form: what the page shows, and what was changed by both."""

    values: dict[str, tuple[str, ...]]
    theirs: dict[str, tuple[str, ...]]
    both: dict[str, tuple[str, ...]]


def _plain(typed: Typed, name: str) -> tuple[str, ...]:
    return tuple(one for one in typed.get(name, ()) if one.strip())


def joined(mine: Typed, base: PlanDraft, now: PlanRecord) -> Joined:
    """Join what I typed over ``base`` with what somebody saved meanwhile; nothing is lost.

    A field that one person changed has that change. One that both changed keeps mine, and
    ``both`` says theirs beside it; ``theirs`` is every change of theirs.
    """
    old, new = values(base), values(now)
    found: dict[str, tuple[str, ...]] = {}
    theirs: dict[str, tuple[str, ...]] = {}
    both: dict[str, tuple[str, ...]] = {}
    for name in sorted((old.keys() | new.keys() | mine.keys()) - {"rev"}):
        own, was, has = _plain(mine, name), old.get(name, ()), new.get(name, ())
        if has != was:
            theirs[name] = has
        if own == was:
            found[name] = has
            continue
        found[name] = own
        if has not in (was, own):
            both[name] = has
    return Joined(found, theirs, both)

"""The frame of objects 抽样框: who can be drawn, in which stratum, and who is excluded by rule."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec

from backend.db.queries.frames import BELOW, INSTITUTIONS, SESSIONS
from backend.piccolo_conf import DB
from backend.services.accounts import on_day
from backend.services.errors import ServiceRefusal
from backend.services.planchecks import selection_doc
from backend.services.records.plans import PlanRecord, Stratum
from inspection_plans import policy
from inspection_plans.draw.digest import hexdigest
from inspection_plans.errors import Family
from inspection_plans.loader import jurisdiction_of, load_calendar

NO_CAP = 1_000_000
EXAMPLES = 5
Token = Callable[[int], bytes]
Row = dict[str, Any]
Below = Mapping[int, frozenset[int]]
Place = tuple[str | None, int, bool]


class FrameEmpty(ServiceRefusal):
    """Nobody can be drawn: no object is in scope, or every one of them is excluded by rule."""

    code = "frame.empty"
    family = Family.CONFLICT


class Uncovered(ServiceRefusal):
    """Objects in scope belong to no stratum of the plan: drawing would leave them out quietly."""

    code = "frame.uncovered"
    family = Family.CONFLICT


class Ambiguous(ServiceRefusal):
    """Objects in scope belong to two strata of the plan."""

    code = "frame.ambiguous"
    family = Family.CONFLICT


class TooManyByHand(ServiceRefusal):
    """More objects are excluded by hand than the plan's ceiling allows."""

    code = "frame.too_many_by_hand"
    family = Family.GATE


class NoDays(ServiceRefusal):
    """No working day of the window lies after the draw."""

    code = "frame.no_days"
    family = Family.CONFLICT


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a drawn object id stands for; kept beside the frame, never in the public record."""

    institution: UUID
    region: int
    kind: str
    risk: str = ""
    training_class: UUID | None = None
    class_session: UUID | None = None


class Objects(msgspec.Struct, frozen=True, kw_only=True):
    """The object frame before its salt: rows by id, what each stands for, opaque strata."""

    rows: list[Row]
    targets: dict[str, Target]
    strata: dict[str, str]
    days: list[str]

    @property
    def exclusions(self) -> dict[str, int]:
        """How many are excluded by which rule."""
        return dict(Counter(row["excl"] for row in self.rows if "excl" in row))


def standing(row: Mapping[str, Any]) -> str | None:
    """The rule that excludes an object whatever was drawn before, the weightiest first."""
    for code, holds in (
        ("CLOSED", row["status"] in ("closed", "suspended") or row["cancelled"]),
        ("MOVED", row["status"] == "moved" or row["moved"]),
        ("TERM_OVER", not row["listed"]),
        ("SCOPE", not row["in_scope"]),
        ("CASE_OPEN", row["case_open"]),
    ):
        if holds:
            return code
    return None


def cap(row: Mapping[str, Any], plan: PlanRecord) -> int:
    """How many random visits a year the object's institution may have at most."""
    return min(plan.spec.frequency_cap, row["frequency_cap"] or NO_CAP)


def _exclusion(row: Mapping[str, Any], plan: PlanRecord) -> str | None:
    """The code that excludes an object: a rule over dated facts, at last a person's hand.

    Source: draw.md section 2.7.
    """
    last: date | None = row["last_visit"]
    rest = timedelta(days=plan.spec.cool_down_days)
    if (excluded := standing(row)) is not None:
        return excluded
    if row["visits"] >= cap(row, plan):
        return "CAP_REACHED"
    if rest and last is not None and last + rest > plan.window_from:
        return "COOLDOWN"
    return "MANUAL" if row["manual"] else None


def opaque(names: Iterable[str], key: bytes, alg: str) -> dict[str, str]:
    """Name → ``s001``: numbered in an order that only the frame's key tells.

    Source: draw.md section 2.5 (published class A–D is an internal reference).
    """
    order = sorted(names, key=lambda name: hexdigest(alg, key + name.encode()))
    return {name: f"s{place:03}" for place, name in enumerate(order, 1)}


def _fits(stratum: Stratum, row: Mapping[str, Any], below: Below) -> bool:
    if stratum.risk and row["risk_class"] not in stratum.risk:
        return False
    if stratum.visited is not None and row["seen"] != (stratum.visited == "before"):
        return False
    return not stratum.regions or any(row["region"] in below[code] for code in stratum.regions)


def _place(row: Mapping[str, Any]) -> Place:
    """What decides the stratum of a row: risk class, region, whether it was visited."""
    return row["risk_class"], row["region"], row["seen"]


def stratify(found: Sequence[Mapping[str, Any]], plan: PlanRecord, below: Below) -> list[str]:
    """The stratum name of every row. Raises: Uncovered, Ambiguous."""
    fitting: dict[Place, list[str]] = {}
    for row in found:
        if _place(row) not in fitting:
            fitting[_place(row)] = [s.name for s in plan.spec.strata if _fits(s, row, below)]
    places = Counter(map(_place, found))
    for refusal, wrong in (
        (Uncovered, [place for place, names in fitting.items() if not names]),
        (Ambiguous, [place for place, names in fitting.items() if len(names) > 1]),
    ):
        if wrong:
            raise refusal(
                field="strata",
                count=sum(places[place] for place in wrong),
                examples=[
                    {"risk": risk, "region": region, "visited": "before" if seen else "never"}
                    for risk, region, seen in wrong[:EXAMPLES]
                ],
            )
    return [fitting[_place(row)][0] for row in found]


def first_day(plan: PlanRecord, at: datetime) -> date:
    """The first day on which a drawn visit can be: of the window, and after the draw."""
    return max(plan.window_from, on_day(at) + timedelta(days=1))


def working_days(plan: PlanRecord, at: datetime) -> list[str]:
    """The working days of the window after the draw, ISO. Raises: NoDays ("frame.no_days").

    Source: draw.md section 6b.
    """
    calendar = load_calendar()
    first = first_day(plan, at)
    length = (plan.window_until - first).days + 1
    days = [first + timedelta(days=place) for place in range(max(length, 0))]
    worked = [day.isoformat() for day in days if calendar.is_working_day(day)]
    if not worked:
        raise NoDays(field="window_until", window_until=plan.window_until.isoformat())
    return worked


def plan_doc(plan: PlanRecord, objects: Objects) -> Row:
    """The public plan whose digest is in the log and in the seed."""
    spec = plan.spec
    doc: Row = selection_doc(spec, objects.strata) | {
        "code": plan.code,
        "targeted": plan.targeted,
        "objects": spec.objects,
        "kinds": sorted(spec.kinds),
        "window_from": plan.window_from.isoformat(),
        "window_until": plan.window_until.isoformat(),
        "team": {"size": spec.team_size, "skills": sorted(set(spec.skills))},
        "frequency_cap": spec.frequency_cap,
        "cool_down_days": spec.cool_down_days,
    }
    jurisdiction = jurisdiction_of(plan.region)
    doc["withdrawal_limit"] = policy.number("withdrawals_per_plan", jurisdiction)
    doc["manual_limit"] = str(policy.policy("manual_exclusion_ceiling", jurisdiction).value)
    if objects.days:
        doc["days"] = objects.days
    if spec.profile != "full":
        doc["profile"] = spec.profile
    if spec.level_d_accepted and spec.level_d_reason:
        doc["level_d_accepted"] = spec.level_d_reason
    return doc


def _by_hand(plan: PlanRecord, built: Objects) -> None:
    """Hold the exclusions by hand under the ceiling, a share of the whole frame.

    Raises: TooManyByHand ("frame.too_many_by_hand").  Source: draw.md section 2.7.
    """
    share = policy.policy("manual_exclusion_ceiling", jurisdiction_of(plan.region)).value
    ceiling = Fraction(str(share))
    count, whole = built.exclusions.get("MANUAL", 0), len(built.rows)
    if count > whole * ceiling:
        raise TooManyByHand(field="exclusions", count=count, frame=whole, ceiling=str(ceiling))


def _institution(row: Mapping[str, Any]) -> tuple[Row, Target]:
    ident = f"{row['credit_code']}/{row['kind']}"
    target = Target(
        institution=row["institution"],
        region=row["region"],
        kind=row["kind"],
        risk=row["risk_class"] or "",
    )
    return {"id": ident, "area": str(row["region"])}, target


def _session(row: Mapping[str, Any]) -> tuple[Row, Target]:
    ident = f"{row['credit_code']}/{row['class_code']}/{row['session_code']}"
    target = Target(
        institution=row["institution"],
        region=row["region"],
        kind="class_session",
        risk=row["risk_class"] or "",
        training_class=row["training_class"],
        class_session=row["class_session"],
    )
    bare = {
        "id": ident,
        "area": str(row["venue_region"]),
        "class": f"{row['credit_code']}/{row['class_code']}",
        "days": [row["on_date"].isoformat()],
    }
    return bare, target


def of_row(row: Mapping[str, Any]) -> tuple[Row, Target]:
    """The bare frame row of an institution or a session, and what it stands for."""
    return (_session if "class_session" in row else _institution)(row)


async def facts(plan: PlanRecord, *, at: datetime) -> tuple[list[Any], Below]:
    """The rows of a plan's scope with their dated facts, and which regions lie below which."""
    spec = plan.spec
    found = await DB.connection.fetch(
        SESSIONS if spec.objects == "class_session" else INSTITUTIONS,
        plan.region,
        plan.year,
        first_day(plan, at),
        plan.window_until,
        list(spec.kinds),
        list(spec.occupations),
        plan.id,
    )
    wanted = sorted({code for stratum in spec.strata for code in stratum.regions})
    below = {
        row["root"]: frozenset(row["codes"] or ())
        for row in await DB.connection.fetch(BELOW, wanted)
    }
    return found, below


async def objects(
    plan: PlanRecord, *, at: datetime, key: bytes, musts: frozenset[str] = frozenset()
) -> Objects:
    """Build the object frame of a plan inside the caller's transaction.

    ``musts`` are ids that were withdrawn from an earlier draw; a rule may still exclude one, a
    person may not.
    Raises: FrameEmpty, Uncovered, Ambiguous, NoDays, TooManyByHand ("frame.*").
    Source: draw.md sections 1, 2.2, 2.3, 2.7.
    """
    spec = plan.spec
    by_session = spec.objects == "class_session"
    found, below = await facts(plan, at=at)
    names = stratify(found, plan, below)
    ids = opaque([stratum.name for stratum in spec.strata], key, spec.alg)
    rows: list[Row] = []
    targets: dict[str, Target] = {}
    for row, name in zip(found, names, strict=True):
        bare, target = of_row(row)
        excluded = _exclusion(row, plan)
        if bare["id"] in musts and excluded in (None, "MANUAL"):
            bare, excluded = bare | {"must": True}, None
        rows.append(bare | {"stratum": ids[name]} | ({"excl": excluded} if excluded else {}))
        targets[bare["id"]] = target
    built = Objects(
        rows=sorted(rows, key=lambda row: row["id"].encode()),
        targets=targets,
        strata=ids,
        days=[] if by_session else working_days(plan, at),
    )
    if all("excl" in row for row in rows):
        raise FrameEmpty(rows=len(rows), exclusions=built.exclusions)
    _by_hand(plan, built)
    return built

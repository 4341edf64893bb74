"""The frame of inspectors 执法检查人员 under per-draw pseudonyms, and who may not go where."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.db.queries.frames import INSPECTORS, PREVIOUS, RELATIONS, UNITS
from backend.piccolo_conf import DB
from backend.services.errors import ServiceRefusal
from backend.services.frames import Objects, Row, Target, Token
from backend.services.records.plans import PlanRecord
from inspection_plans import policy, recusal
from inspection_plans.draw.seed import person
from inspection_plans.errors import Family
from inspection_plans.loader import jurisdiction_of, load_calendar

PSEUDONYM_BYTES = 6
SALT_BYTES = 32


class TooFew(ServiceRefusal):
    """Fewer inspectors than one team needs are available with a valid certificate."""

    code = "frame.too_few_inspectors"
    family = Family.CONFLICT


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """Who is behind a pseudonym; opened only for those sent, after the visit."""

    inspector: UUID
    licence: str
    salt: str


class Filtered(msgspec.Struct, frozen=True, kw_only=True):
    """An inspector who is not in the frame, and why."""

    inspector: UUID
    staff_code: str
    reason: str


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """The inspector frame: rows by pseudonym, block pairs by bytes, who was left out and why.

    ``licences`` is pseudonym -> last valid day of the certificate, ISO.
    """

    rows: list[Row]
    blocked: list[list[str]]
    aliases: dict[str, Alias]
    filtered: tuple[Filtered, ...]
    licences: dict[str, str]

    @property
    def reasons(self) -> dict[str, int]:
        """How many are left out for which reason."""
        return dict(Counter(one.reason for one in self.filtered))


def unfit(row: Mapping[str, Any], areas: set[str], last: date) -> str | None:
    """Why an inspector cannot be sent anywhere in the window; the certificate must last it out.

    Source: draw.md section 6; gate G1.
    """
    if row["licence_until"] < last:
        return "LICENCE_EXPIRED"
    if not row["available"]:
        return "UNAVAILABLE"
    if not areas.intersection(map(str, row["reach"])):
        return "NO_AREA"
    return None


def _row(found: Mapping[str, Any], alias: str, secret: Alias, areas: set[str], alg: str) -> Row:
    return {
        "id": alias,
        "lead": found["lead"],
        "skills": sorted(set(found["skills"])),
        "areas": sorted(areas.intersection(map(str, found["reach"]))),
        "cap": found["cap"],
        "load": found["load"],
        "person": person(alg, secret.salt, secret.licence),
    }


async def recused(
    found: Sequence[Mapping[str, Any]], institutions: list[UUID], plan: PlanRecord
) -> set[tuple[UUID, UUID]]:
    """(inspector, institution) of all grounds mixed, frame-wide, drawn or not.

    Source: draw.md sections 2.3 and 2.5; recusal 回避.
    """
    staff = [row["id"] for row in found]
    relations: Mapping[UUID, list[recusal.Relation]] = defaultdict(list)
    for row in await DB.connection.fetch(RELATIONS, institutions, staff):
        relations[row["inspector"]].append(recusal.Relation(str(row["institution"]), row["until"]))
    units = await DB.connection.fetch(UNITS, institutions)
    pairs = recusal.blocked(
        [
            recusal.Inspector(str(row["id"]), row["unit"], tuple(relations[row["id"]]))
            for row in found
        ],
        [
            recusal.Institution(str(row["id"]), frozenset({row["credit_code"], row["name"]}))
            for row in units
        ],
        on=plan.window_from,
        cooling_years=policy.number("recusal_cooling_years", jurisdiction_of(plan.region)),
        calendar=load_calendar(),
    )
    previous = await DB.connection.fetch(PREVIOUS, institutions, staff)
    return {(UUID(pair.inspector), UUID(pair.institution)) for pair in pairs} | {
        (row["inspector"], row["institution"]) for row in previous
    }


def _spread(
    recused: Iterable[tuple[UUID, UUID]],
    alias_of: Mapping[UUID, str],
    targets: Mapping[str, Target],
) -> list[list[str]]:
    """Pairs of pseudonym and object id for every object of a recused institution, by bytes."""
    of: Mapping[UUID, list[str]] = defaultdict(list)
    for ident, target in targets.items():
        of[target.institution].append(ident)
    return sorted([alias_of[who], ident] for who, whom in recused for ident in of[whom])


async def further(
    plan: PlanRecord,
    staff: Collection[UUID],
    objects: Sequence[Row],
    targets: Mapping[str, Target],
    *,
    token: Token,
) -> tuple[list[Row], list[list[str]], dict[str, Alias]]:
    """Rows, block pairs and aliases of inspectors added after the freeze, by the same rules.

    ``objects`` and ``targets`` are the frozen frame's; who is unfit is left out.
    Source: draw.md sections 2.3, 2.5 and 8.
    """
    areas = {row["area"] for row in objects}
    rows = await DB.connection.fetch(INSPECTORS, plan.region, plan.year)
    found = [
        row for row in rows if row["id"] in staff and unfit(row, areas, plan.window_until) is None
    ]
    aliases = _aliases(found, token)
    named = zip(found, aliases.items(), strict=True)
    made = [_row(row, alias, secret, areas, plan.spec.alg) for row, (alias, secret) in named]
    institutions = sorted({target.institution for target in targets.values()})
    alias_of = {secret.inspector: alias for alias, secret in aliases.items()}
    pairs = await recused(found, institutions, plan)
    return made, _spread(pairs, alias_of, targets), aliases


def _aliases(found: Sequence[Mapping[str, Any]], token: Token) -> dict[str, Alias]:
    return {
        f"p{token(PSEUDONYM_BYTES).hex()}": Alias(
            inspector=row["id"], licence=row["licence_no"], salt=token(SALT_BYTES).hex()
        )
        for row in found
    }


async def crew(plan: PlanRecord, objects: Objects, *, token: Token) -> Crew:
    """Build the inspector frame of a plan inside the caller's transaction.

    Raises: TooFew ("frame.too_few_inspectors") with the reasons of those left out.
    Source: draw.md sections 2.3, 2.5.
    """
    areas = {row["area"] for row in objects.rows}
    found: list[Mapping[str, Any]] = []
    filtered: list[Filtered] = []
    for row in await DB.connection.fetch(INSPECTORS, plan.region, plan.year):
        reason = unfit(row, areas, plan.window_until)
        if reason is None:
            found.append(row)
        else:
            filtered.append(
                Filtered(inspector=row["id"], staff_code=row["staff_code"], reason=reason)
            )
    if len(found) < plan.spec.team_size:
        reasons = dict(Counter(one.reason for one in filtered))
        raise TooFew(eligible=len(found), needed=plan.spec.team_size, filtered=reasons)
    aliases = _aliases(found, token)
    rows = [
        _row(row, alias, secret, areas, plan.spec.alg)
        for row, (alias, secret) in zip(found, aliases.items(), strict=True)
    ]
    institutions = sorted({target.institution for target in objects.targets.values()})
    pairs = await recused(found, institutions, plan)
    alias_of = {secret.inspector: alias for alias, secret in aliases.items()}
    return Crew(
        rows=sorted(rows, key=lambda row: row["id"]),
        blocked=_spread(pairs, alias_of, objects.targets),
        aliases=aliases,
        filtered=tuple(filtered),
        licences={
            alias: row["licence_until"].isoformat()
            for row, alias in zip(found, aliases, strict=True)
        },
    )

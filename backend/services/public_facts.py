"""What may be made public of a plan, a draw or a visit: verified facts, never a person's name."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.accounts import on_day
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import gates, publication
from inspection_plans.errors import Family
from inspection_plans.library import Library

PLAN = """
select p.region, p.code, p.title, p.year, p.period, p.state, p.targeted, p.window_from,
  p.window_until, p.updated_at as since, o.name as office
from plan p join office o on o.id = p.office where p.id = $1
"""
DRAW = """
select d.region, d.code, d.attempt, d.alg, d.origin, d.level, d.state, d.object_count,
  d.inspector_count, d.frame_objects, d.frame_inspectors, d.plan_digest, d.head,
  case when d.state = 'published' then d.seed end as seed, d.void_reason,
  coalesce(d.drawn_at, d.frozen_at) as since, p.code as plan, p.title
from draw d join plan p on p.id = d.plan where d.id = $1
"""
VISIT = """
select v.region, v.institution, v.code, v.kind, v.selection, v.chance, v.unannounced, v.on_date,
  v.sheet, v.jurisdiction, v.state, v.concluded_at as since, i.name, i.credit_code
from visit v join institution i on i.id = v.institution where v.id = $1
"""
FINDINGS = """
select id, item, title_zh, severity, clauses, state from finding where visit = $1 order by item
"""
ORDERS = """
select n.number, n.state from notice n where n.visit = $1 and n.kind = 'order'
  and n.served_on is not null order by n.id
"""
# Names of people whom the scope knows; a first sign that stands nowhere in the text is no match,
# which keeps a province's rosters out of the comparison.
NAMES = """
select distinct name from (
  select name from inspector union all select name from trainee
  union all select display_name from account union all select legal_person from institution
  union all select teacher from training_class) known
where length(replace(name, ' ', '')) >= 2
  and strpos($1, left(lower(normalize(name, nfkc)), 1)) > 0
"""
# An identity number, or a mobile number, that is not part of a longer one.
PERSONAL = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
READY = {
    "plan": ("approved", "running", "closed", "cancelled"),
    "draw": ("drawn", "published", "void"),
    "result": ("concluded", "concluded_with_gap"),
}


class NotReady(ServiceRefusal):
    """The subject has not come far enough to be made public."""

    code = "publication.not_ready"
    family = Family.GATE


class PersonalNumber(ServiceRefusal):
    """The text holds an identity number or a mobile number."""

    code = "publication.personal_number"
    family = Family.GATE


class WordingContradicted(ServiceRefusal):
    """A standard wording that the verified facts contradict."""

    code = "publication.wording_contradicted"
    family = Family.GATE


class FactUnfounded(ServiceRefusal):
    """A fact must rest on a verified finding of this visit; plans and draws carry none."""

    code = "publication.fact_unfounded"
    family = Family.GATE


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence about a verified finding."""

    finding: UUID
    text: str


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is published: its office, the day its term starts, and the public facts."""

    region: int
    institution: UUID | None
    since: date
    body: dict[str, Any]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """JSON values in the canonical form's narrow sense: composed text, no nulls."""
    form: dict[str, Any] = msgspec.to_builtins(row)
    return {key: _composed(value) for key, value in form.items() if value is not None}


def _composed(value: object) -> object:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


async def _region(code: int) -> dict[str, Any]:
    row = await DB.connection.fetchrow(
        "select code, name_zh, name_en from region where code = $1", code
    )
    return dict(row) if row else {"code": code}


async def _row(kind: str, sql: str, subject: UUID) -> dict[str, Any]:
    row = await DB.connection.fetchrow(sql, subject)
    if row is None:
        raise Absent
    if row["state"] not in READY[kind]:
        raise NotReady(field="subject", state=row["state"], ready=list(READY[kind]))
    return dict(row)


async def _simple(kind: str, sql: str, subject: UUID, facts: tuple[Fact, ...]) -> Subject:
    if facts:
        raise FactUnfounded(field="facts")
    row = await _row(kind, sql, subject)
    region, since = row.pop("region"), on_day(row.pop("since"))
    body = {**_plain(row), "region": await _region(region)}
    return Subject(region=region, institution=None, since=since, body=body)


async def _result(
    subject: UUID, wordings: tuple[str, ...], facts: tuple[Fact, ...], rules: Library
) -> Subject:
    row = await _row("result", VISIT, subject)
    found = [dict(f) for f in await DB.connection.fetch(FINDINGS, subject)]
    standing = [f for f in found if f["state"] != "dismissed"]
    gates.verified_only(f["state"] for f in standing)
    orders = [dict(order) for order in await DB.connection.fetch(ORDERS, subject)]
    _agree(wordings, standing, orders)
    if {fact.finding for fact in facts} - {f["id"] for f in standing}:
        raise FactUnfounded(field="facts")
    sheet = rules.sheets[row["sheet"]]
    body = {
        "visit": _plain(
            {key: row[key] for key in ("code", "kind", "selection", "chance", "unannounced")}
        ),
        "on_date": row["on_date"].isoformat(),
        "institution": _plain({"name": row["name"], "credit_code": row["credit_code"]}),
        "region": await _region(row["region"]),
        "sheet": {"id": sheet.id, "zh": sheet.zh, "en": sheet.en},
        "gap": row["state"] == "concluded_with_gap",
        "findings": [
            {**_plain(f), "title_en": _english(rules, row["sheet"], f["item"])} for f in standing
        ],
        "orders": [order["number"] for order in orders],
        "facts": [_composed(fact.text) for fact in facts],
    }
    return Subject(
        region=row["region"], institution=row["institution"], since=on_day(row["since"]), body=body
    )


def _english(rules: Library, sheet: str, item: str) -> str:
    found = rules.sheets[sheet].item(item)
    return found.en if found else ""


def _agree(
    wordings: tuple[str, ...], findings: list[dict[str, Any]], orders: list[dict[str, Any]]
) -> None:
    """G9: a wording about problems and orders must be true of what was found and ordered."""
    left = [f for f in findings if f["state"] in ("ordered", "open", "verified")]
    false = {
        "no_problem_found": bool(findings) or len(wordings) > 1,
        "correction_ordered": not orders,
        "corrected_on_order": not orders or bool(left),
        "further_handling": not left,
    }
    if wrong := [code for code in wordings if false.get(code, False)]:
        raise WordingContradicted(field="wordings", wordings=wrong)


async def gather(
    kind: str,
    subject: UUID,
    wordings: tuple[str, ...],
    facts: tuple[Fact, ...],
    *,
    rules: Library,
) -> Subject:
    """The public facts of a plan, a draw or a concluded visit, in the running transaction.

    Source: casework 1 (G4, G9), 6. Raises: Absent, NotReady, FactUnfounded, FindingNotVerified,
    UnknownWording, WordingContradicted.
    """
    if kind == "result":
        publication.result(wordings, rules.wordings)
        return await _result(subject, wordings, facts, rules)
    if wordings:
        raise WordingContradicted(field="wordings", wordings=list(wordings))
    return await _simple(kind, PLAN if kind == "plan" else DRAW, subject, facts)


async def still_verified(body: dict[str, Any]) -> None:
    """G4 at the last moment: no finding in a body was withdrawn since it was composed.

    Raises: FindingNotVerified ("finding.not_verified").
    """
    named = [UUID(one["id"]) for one in body.get("findings", ())]
    rows = await DB.connection.fetch("select state from finding where id = any ($1)", named)
    gates.verified_only(row["state"] for row in rows)


def free_text(body: dict[str, Any]) -> list[str]:
    """What people wrote themselves: everything else comes from directories and packs."""
    correction = body.get("correction", {}).get("reason", "")
    written = (body.get("title", ""), body.get("void_reason", ""), correction)
    return [text for text in (*written, *body.get("facts", ())) if text]


async def refuse_names(texts: Iterable[str]) -> None:
    """G9: no natural person is named, however spaced, and none of their numbers stands here.

    Raises: PersonalName ("publication.personal_name"), PersonalNumber.
    """
    text = unicodedata.normalize("NFKC", "\n".join(texts))
    if PERSONAL.search(text):
        raise PersonalNumber(field="facts")
    known = await DB.connection.fetch(NAMES, text.casefold())
    publication.nameless(text, [row["name"] for row in known])

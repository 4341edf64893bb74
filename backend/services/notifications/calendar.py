"""A person's calendar as iCalendar (RFC 5545): own visits once disclosed, due days of papers.

A calendar is read by other people's servers: it holds codes, numbers and days, no name, no place.
A sealed visit is in nobody's calendar before its hour, and in no institution's at all.
"""

from datetime import date, datetime, timedelta

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import accounts
from backend.services.accounts import digest, on_day
from backend.services.act import Person
from backend.services.errors import Absent
from backend.services.notifications.wording import words
from backend.services.texts import Language

PAST = timedelta(days=60)
FOLD = 73
VISITS = """
select v.id, v.code, v.on_date, v.state from visit v join assignment a on a.visit = v.id
where a.inspector = $1 and a.ended_at is null and v.sealed_until <= $2 and v.on_date >= $3
order by v.on_date, v.id limit 500
"""
DUE = """
select n.id, n.number, max(nf.due_on) as due_on from notice n
join notice_finding nf on nf.notice = n.id
where n.state in ('served', 'answered', 'under_review') and nf.due_on >= $1
  and nf.outcome is distinct from 'accepted' group by n.id, n.number order by 3, 1 limit 500
"""
PUBLISH = """
select id, due_on from publication where state in ('prepared', 'approved') and due_on >= $1
order by due_on, id limit 500
"""


def said(name: str, language: Language, what: str) -> str:
    """A line of the calendar's own words."""
    return words().calendar[name][language].format(what)


class Event(msgspec.Struct, frozen=True):
    """One whole day: ``uid`` stays the same when the day moves."""

    uid: str
    day: date
    text: str


async def feed(secret: str, *, at: datetime, host: str) -> bytes:
    """The calendar that this secret opens. Raises: Absent, also for a secret that never was."""
    async with DB.transaction(Scope(), readonly=True):
        account = await DB.connection.fetchval("select auth_calendar($1)", digest(secret))
    person = await accounts.load_person(account, at=at) if account else None
    if person is None:
        raise Absent
    return _text(await _events(person, at=at), host=host, at=at)


async def _events(person: Person, *, at: datetime) -> list[Event]:
    since = on_day(at) - PAST
    async with DB.transaction(person.scope, readonly=True):
        language: Language = await DB.connection.fetchval(
            "select language from reach where account = $1", person.id
        )
        found = []
        if person.inspector is not None:
            for row in await DB.connection.fetch(VISITS, person.inspector, at, since):
                text = said("visit", language, row["code"])
                found.append(Event(f"visit-{row['id']}", row["on_date"], text))
        if person.institution is not None or "supervisor" in person.roles:
            for row in await DB.connection.fetch(DUE, since):
                text = said("notice", language, row["number"])
                found.append(Event(f"notice-{row['id']}", row["due_on"], text))
        if person.roles & {"supervisor", "publisher", "approver"}:
            for row in await DB.connection.fetch(PUBLISH, since):
                text = said("publication", language, "")
                found.append(Event(f"publication-{row['id']}", row["due_on"], text))
    return found


def _escaped(text: str) -> str:
    for raw in ("\\", ";", ","):
        text = text.replace(raw, f"\\{raw}")
    return text.replace("\r", " ").replace("\n", " ")


def folded(line: str) -> str:
    """A line of at most 75 octets, longer ones continued; never cut inside a character."""
    parts, size = [""], 0
    for character in line:
        octets = len(character.encode())
        if size + octets > FOLD:
            parts.append("")
            size = 0
        parts[-1] += character
        size += octets
    return "\r\n ".join(parts)


def _text(events: list[Event], *, host: str, at: datetime) -> bytes:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Mingcha//Calendar//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{said('name', 'zh', '')}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.uid}@{host}",
            f"DTSTAMP:{at:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{event.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(event.text)}",
            "TRANSP:TRANSPARENT",
            "CLASS:PRIVATE",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines).encode()

"""The words of messages, and which event tells whom: one file of the texts."""

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from backend.services.errors import ServiceRefusal
from backend.services.texts import Language

FILE = Path(__file__).parents[2] / "texts" / "notifications.yaml"
Fact = Literal["number", "due_on", "days", "count", "code"]
# A subject is read on locked screens and in mail boxes of strangers: no fact has room for a name.
NUMBER = re.compile(r"\S{1,30}〔[0-9]{4}〕[0-9]{1,9}号\Z")
CODE = re.compile(r"[0-9A-Za-z-]{1,64}\Z")


class SubjectUnfit(ServiceRefusal):
    """A fact of a message is not of the kind that its subject has room for."""

    code = "message.subject_unfit"


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line that a person is told, in both languages, and the facts it has room for."""

    zh: str
    en: str
    facts: tuple[Fact, ...]


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom an entry of the audit log concerns."""

    subject: str
    roles: tuple[str, ...] = ()
    institution: bool = False


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    subjects: dict[str, Subject]
    events: dict[str, Event]
    outside: tuple[str, ...]
    mail: dict[Language, str]
    sms: dict[Language, str]
    calendar: dict[str, dict[Language, str]]


@cache
def words() -> Words:
    """The file, read once per process; an event without its subject is a fault of the build."""
    found = msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), Words)
    if gaps := {event.subject for event in found.events.values()} - found.subjects.keys():
        raise ValueError(f"{FILE.name}: no such subject: {sorted(gaps)}")
    return found


def _fits(fact: Fact, value: object) -> bool:
    match fact:
        case "number":
            return isinstance(value, str) and bool(NUMBER.match(value))
        case "code":
            return isinstance(value, str) and bool(CODE.match(value))
        case "due_on":
            return isinstance(value, date)
        case _:
            return type(value) is int


def checked(subject: str, facts: dict[str, object]) -> dict[str, str | int]:
    """The facts as they are stored: exactly those the subject has room for.

    Raises: SubjectUnfit ("message.subject_unfit"); KeyError for a subject nobody worded.
    """
    wanted = words().subjects[subject].facts
    if set(wanted) != facts.keys():
        raise SubjectUnfit(subject=subject, wanted=sorted(wanted))
    if unfit := [fact for fact in wanted if not _fits(fact, facts[fact])]:
        raise SubjectUnfit(field=unfit[0], subject=subject)
    return {fact: value if isinstance(value, int) else str(value) for fact, value in facts.items()}


def line(subject: str, language: Language, facts: dict[str, str | int]) -> str:
    """The subject as a person reads it."""
    worded = words().subjects[subject]
    return (worded.zh if language == "zh" else worded.en).format(**facts)

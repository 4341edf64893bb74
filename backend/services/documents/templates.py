"""Templates of documents as data: the product's own files, and each office's versions of them."""

from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
import yaml

from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.act import Act
from backend.services.documents import samples
from backend.services.documents.press import press
from backend.services.errors import Absent, Changed, ServiceRefusal

FOLDER = Path(__file__).parents[2] / "texts" / "documents"
LARGEST = 40_000
NEWEST = """
select body, rev from document_template where office = $1 and kind = $2 order by rev desc limit 1
"""
KEEP = """
insert into document_source (digest, content, recorded_at) values ($1, $2, $3)
on conflict (digest) do nothing
"""
ADD = """
insert into document_template (id, region, office, kind, rev, body, note, made_by, made_at)
select $1, region, id, $3, $4, $5, $6, $7, $8 from office where id = $2
on conflict (office, kind, rev) do nothing returning id
"""
VERSIONS = """
select id, kind, rev, note, made_by, made_at from document_template
where office = $1 and kind = $2 order by rev desc
"""


class KindUnknown(ServiceRefusal):
    """No such kind of document."""

    code = "document.kind_unknown"


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of document: its title, what it is about, who gives its number.

    ``number`` is ``own`` when it takes one at issue, ``matter`` when what it is about has one;
    ``series`` is the row of numbers it shares with that. ``party``: it is meant for the
    institution. ``standard``: it is PDF/A, which a file that embeds others is not. ``at``: the
    entries of the log that call for it.
    """

    title: str
    matter: Literal["visit", "event", "notice", "reply", "step", "case", "publication"]
    number: Literal["own", "matter"] = "own"
    series: str | None = None
    party: bool = False
    standard: bool = True
    at: tuple[str, ...] = ()


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an office's template."""

    id: UUID
    kind: str
    rev: int
    note: str
    made_by: UUID
    made_at: datetime


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """What stands now: ``rev`` 0 is the product's own text."""

    kind: str
    rev: int
    body: str
    versions: tuple[Version, ...]


@cache
def kinds() -> dict[str, Kind]:
    """Every kind, read once per process."""
    raw = yaml.safe_load((FOLDER / "kinds.yaml").read_text("utf-8"))
    return msgspec.convert(raw, dict[str, Kind])


@cache
def words() -> dict[str, str]:
    """Words that papers print for codes: ``way.post`` and the like."""
    raw: dict[str, Any] = yaml.safe_load((FOLDER / "words.yaml").read_text("utf-8"))
    return {
        f"{group}.{code}": text for group, texts in raw.items() for code, text in texts.items()
    }


def kind_of(name: str) -> Kind:
    """The kind of this name. Raises: KindUnknown ("document.kind_unknown")."""
    if name not in kinds():
        raise KindUnknown(field="kind", known=sorted(kinds()))
    return kinds()[name]


@cache
def own(kind: str) -> str:
    """The product's own body of a kind."""
    return (FOLDER / "bodies" / f"{kind}.typ").read_text("utf-8")


@cache
def _frame() -> str:
    return (FOLDER / "frame.typ").read_text("utf-8")


def source(body: str) -> bytes:
    """A whole template: the frame that every document shares, and the body."""
    return f"{_frame()}\n{body}".encode()


async def used(office: UUID, kind: str, *, act: Act) -> str:
    """The digest of what this office prints a kind with now; kept for good, in the act."""
    row = await DB.connection.fetchrow(NEWEST, office, kind)
    raw = source(row["body"] if row else own(kind))
    digest = sha256(raw).hexdigest()
    await DB.connection.execute(KEEP, digest, raw, act.at)
    return digest


async def current(kind: str, *, act: Act) -> Template:
    """What the caller's office prints a kind with. Raises: Absent, KindUnknown."""
    kind_of(kind)
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(NEWEST, act.by.office, kind)
        versions = await DB.connection.fetch(VERSIONS, act.by.office, kind)
    return Template(
        kind=kind,
        rev=row["rev"] if row else 0,
        body=row["body"] if row else own(kind),
        versions=tuple(msgspec.convert(dict(one), Version) for one in versions),
    )


async def save(kind: str, body: str, *, rev: int, note: str, act: Act) -> Template:
    """Give the caller's office its own text of a kind; ``rev`` is the version they started from.

    It must compile with the kind's example first, so that no document is stuck later.
    Raises: Absent, KindUnknown, Changed, Unprintable ("document.unprintable").
    """
    kind_of(kind)
    if act.by.office is None:
        raise Absent
    await press([samples.job(source(body[:LARGEST]), kind_of(kind).title)])
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(NEWEST, act.by.office, kind)
        if (row["rev"] if row else 0) != rev:
            raise Changed(field="rev", rev=row["rev"] if row else 0)
        ident = act.new_id()
        made = await DB.connection.fetchval(
            ADD, ident, act.by.office, kind, rev + 1, body, note, act.by.id, act.at
        )
        if made is None:
            raise Changed(field="rev", rev=rev + 1)
        await audit.record(
            act,
            "document.template_saved",
            "document_template",
            ident,
            region=act.by.region,
            title=kind,
            rev=rev + 1,
            after_sha256=sha256(source(body)).hexdigest(),
        )
    return await current(kind, act=act)

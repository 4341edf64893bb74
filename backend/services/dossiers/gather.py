"""What goes into a bundle, as the database knows it at one instant: rows, entries, proofs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.sequencer import nodes
from inspection_plans.errors import Family
from media import canon, merkle
from media.dossier.contents import LogPart, PhoneKey

TAKEN = frozenset({"verified", "sealed"})
END = 2**62  # after every entry
DOSSIER = """
select d.*, i.name as named from dossier d join institution i on i.id = d.institution
where d.id = $1
"""
CODE = "select code from visit where id = $1"
PERSON = """
select a.display_name, coalesce((select string_agg(distinct r.role, ',' order by r.role)
  from role_assignment r where r.account = a.id and r.revoked_at is null), '') as roles
from account a where a.id = $1
"""
# An institution's bundle does not even name what was not disclosed to it.
PIECES = """
select e.* from evidence e where ($1::uuid is not null and e.visit = $1
  or $2::uuid is not null and (e.visit in (
      select f.visit from finding f join case_file c on f.id = any (c.findings) where c.id = $2)
    or e.notice in (select n.notice from notice_finding n join case_file c
      on n.finding = any (c.findings) where c.id = $2)))
  and ($3 or e.disclosed or e.channel = 'portal')
order by e.id
"""
DERIVED = """
select * from derivative where evidence = any ($1) and ($2 or kind = 'redacted')
order by evidence, kind, variant
"""
DEVICES = """
select d.*, a.display_name from device d join account a on a.id = d.account where d.kid = any ($1)
"""
ENTRIES = """
select id, tree_index, leaf, body from aud.entry where body -> 'object' ->> 'id' = any ($1)
order by id
"""
# 一案一卷, if it was issued: the office's own paper, which others are not given.
CASE_FILE = """
select id, number, object_key, sha256, size from document where kind = 'case_index'
  and matter_id = $1 and standing = 'issued' and sha256 is not null
order by issued_at desc, id desc limit 1
"""
# The best anchored of the heads that cover an entry: stamped, else in the locked bucket.
COVERING = """
select size, note, tsr, stamped_at, authority, created_at, anchored_at from aud.checkpoint
where size > $1 order by (tsr is null), (anchored_at is null), size limit 1
"""
ANCHORED = """
select anchored_at from aud.checkpoint where size > $1 and anchored_at is not null
order by size limit 1
"""


class NotPlaced(ServiceRefusal):
    """The audit log has not numbered everything yet; it is asked again in a moment."""

    code = "dossier.not_placed"
    family = Family.UNAVAILABLE


class Head(msgspec.Struct, frozen=True):
    """A head of the log with its anchors."""

    size: int
    note: str
    tsr: bytes | None
    stamped_at: datetime | None
    authority: str | None
    created_at: datetime
    anchored_at: datetime | None


class Paper(msgspec.Struct, frozen=True):
    """The case file 案卷 that was issued: its row, the place of the entry about its bytes."""

    row: Mapping[str, Any]
    place: int


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as they are, and the log's part ready for the bundle."""

    order: Mapping[str, Any]
    code: str
    person: Mapping[str, Any]
    pieces: Sequence[Mapping[str, Any]]
    left_out: Sequence[Mapping[str, Any]]
    derived: Sequence[Mapping[str, Any]]
    phones: Sequence[PhoneKey]
    places: Mapping[str, tuple[int, int]]
    anchored: Mapping[str, datetime]
    ordered: int
    custody: Sequence[Mapping[str, Any]]
    paper: Paper | None
    log: LogPart
    sealed: Head
    newest: Head

    @property
    def whole(self) -> bool:
        """Whether the bundle stays in the office."""
        return bool(self.order["audience"] == "office")


def ms(at: datetime) -> int:
    """Milliseconds since the epoch, as the log's entries have them."""
    return int(at.timestamp() * 1000)


async def gather(ident: UUID, *, act: Act, stamps: bool) -> Gathered | None:
    """Read everything at one instant; None when nobody waits for it any more.

    ``stamps``: wait for a time stamp over the order, where an authority is asked.
    Raises: NotPlaced ("dossier.not_placed").
    """
    async with DB.transaction(act.by.scope, isolation="repeatable_read", readonly=True):
        order = await DB.connection.fetchrow(DOSSIER, ident)
        if order is None or order["state"] != "running":
            return None
        whole = order["audience"] == "office"
        found = await DB.connection.fetch(PIECES, order["visit"], order["case_file"], whole)
        taken = [row for row in found if row["state"] in TAKEN]
        ids = [row["id"] for row in taken]
        devices = await DB.connection.fetch(DEVICES, sorted({r["kid"] or "" for r in taken}))
        file = await DB.connection.fetchrow(CASE_FILE, order["case_file"]) if whole else None
        about = [str(one) for one in (*ids, *(row["id"] for row in devices), ident)]
        about += [] if file is None else [str(file["id"])]
        entries = [dict(row) for row in await DB.connection.fetch(ENTRIES, about)]
        diary = _Diary(entries)
        ordered = diary.place(order["entry"])
        places = {str(row["id"]): diary.of_piece(row) for row in taken}
        phones = [_phone(row, diary) for row in devices]
        sealed = await _covering(max([last for _, last in places.values()], default=ordered))
        paper = None if file is None else Paper(file, diary.rendered(str(file["id"])))
        wanted = _wanted(phones, places, ordered) | (set() if paper is None else {paper.place})
        newest = await _covering(max(*wanted, sealed.size - 1))
        if stamps and newest.tsr is None:
            raise NotPlaced(reason="stamp")
        return Gathered(
            order=order,
            code=await DB.connection.fetchval(CODE, order["visit"]) or "",
            person=await DB.connection.fetchrow(PERSON, order["ordered_by"]),
            pieces=taken,
            left_out=[row for row in found if row["state"] not in TAKEN],
            derived=await DB.connection.fetch(DERIVED, ids, whole),
            phones=phones,
            places=places,
            anchored=await _anchored(places),
            ordered=ordered,
            custody=entries,
            paper=paper,
            log=await _log(diary, wanted, sealed, newest),
            sealed=sealed,
            newest=newest,
        )


class _Diary:
    """Entries by id and by what they are about."""

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        self.entries = entries
        self.by_id = {row["id"]: row for row in entries}
        self.by_place = {row["tree_index"]: row for row in entries}

    def place(self, entry: int | None) -> int:
        """Where an entry lies in the tree; raises NotPlaced."""
        row = self.by_id.get(entry or -1)
        if row is None or row["tree_index"] is None:
            raise NotPlaced(reason="entry")
        return int(row["tree_index"])

    def last(self, verb: str, about: str, *, before: int) -> int:
        """Place of the last entry with this verb about this thing up to entry ``before``."""
        found = [
            row["id"]
            for row in self.entries
            if row["body"]["verb"] == verb
            and row["body"]["object"]["id"] == about
            and row["id"] <= before
        ]
        return self.place(found[-1] if found else None)

    def rendered(self, about: str) -> int:
        """Place of the entry about a document's finished file."""
        return self.last("document.rendered", about, before=END)

    def of_piece(self, row: Any) -> tuple[int, int]:  # noqa: ANN401 - a row of asyncpg
        """Places of the receipt and of the proof of one piece's bytes."""
        received = self.last("evidence.received", str(row["id"]), before=row["entry"] or 0)
        return received, self.place(row["entry"])


def _phone(row: Any, diary: _Diary) -> PhoneKey:  # noqa: ANN401 - a row of asyncpg
    about = str(row["id"])
    lost = row["revoked_at"] is not None
    since = row["compromised_since"]
    return PhoneKey(
        kid=row["kid"],
        spki=bytes(row["spki"]),
        dev=about,
        owner=str(row["account"]),
        owner_name=row["display_name"],
        enrolled=ms(row["enrolled_at"]),
        enrolled_entry=diary.last("device.enrolled", about, before=END),
        revoked=ms(row["revoked_at"]) if lost else None,
        revoked_entry=diary.last("device.revoked", about, before=END) if lost else None,
        since=ms(since) if lost and since is not None else None,
    )


async def _covering(place: int) -> Head:
    row = await DB.connection.fetchrow(COVERING, place)
    if row is None:
        raise NotPlaced(reason="head")
    return Head(**dict(row))


async def _anchored(places: Mapping[str, tuple[int, int]]) -> dict[str, datetime]:
    found = {}
    for ident, (_, last) in places.items():
        at = await DB.connection.fetchval(ANCHORED, last)
        if at is not None:
            found[ident] = at
    return found


def _wanted(
    phones: Sequence[PhoneKey], places: Mapping[str, tuple[int, int]], ordered: int
) -> set[int]:
    """Places of all entries that a bundle carries."""
    wanted = {ordered, *(place for pair in places.values() for place in pair)}
    for phone in phones:
        wanted |= {phone.enrolled_entry}
        wanted |= set() if phone.revoked_entry is None else {phone.revoked_entry}
    return wanted


async def _log(diary: _Diary, wanted: set[int], sealed: Head, newest: Head) -> LogPart:
    needed = {node for place in wanted for node in merkle.inclusion_nodes(place, newest.size)}
    needed |= set(merkle.consistency_nodes(sealed.size, newest.size))
    stored = await nodes(sorted(needed))
    return LogPart(
        entries={place: canon.encode(diary.by_place[place]["body"]) for place in wanted},
        leaves={place: bytes(diary.by_place[place]["leaf"]) for place in wanted},
        proofs={place: merkle.inclusion_proof(place, newest.size, stored) for place in wanted},
        at_seal=sealed.note,
        at_seal_size=sealed.size,
        at_export=newest.note,
        at_export_size=newest.size,
        consistency=merkle.consistency_proof(sealed.size, newest.size, stored),
    )

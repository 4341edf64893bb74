"""A made-up office's bundle, whole and in memory: keys, log, captures, and who holds which key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from media import canon, checkpoint, devtsa, keys, manifest, merkle, timestamps, tokens
from media.dossier.archive import Blob, blob, pack
from media.dossier.contents import (
    CaseFile,
    Contents,
    Derived,
    LogPart,
    OfficeKeys,
    PhoneKey,
    Piece,
    files,
)
from media.offline.curves import SPKI_ED25519
from tests.media.phone import a_manifest, uuid7

ORIGIN = "test.mingcha.invalid/log"
SERVER = keys.ServerKey.from_seed(b"\7" * 32)
LOG = keys.ServerKey.from_seed(b"\11" * 32)
PHONES = tuple(keys.DeviceKey.from_seed(b"phone %d" % n) for n in range(3))
T0 = 1_790_000_000_000
HOUR = 3_600_000
FINGERPRINTS = tuple(sha256(SPKI_ED25519 + key.public).hexdigest() for key in (SERVER, LOG))


def an_entry(verb: str, about: str, t: int, *, after: str = "", title: str = "") -> bytes:
    """The exact bytes of an entry of the log."""
    return canon.encode(
        {
            "actor": {"id": uuid7(900), "name_snapshot": "检查员甲", "role": "inspector"},
            "after_sha": after,
            "before_sha": "",
            "ip_trunc": "",
            "object": {"id": about, "rev": 0, "title_snapshot": title, "type": "evidence"},
            "reason": "",
            "region": 370000,
            "req_id": "",
            "t": t,
            "v": 1,
            "verb": verb,
        }
    )


@dataclass
class Log:
    """A log that grows, and can prove what is in it."""

    entries: list[bytes] = field(default_factory=list)
    nodes: dict[merkle.Address, bytes] = field(default_factory=dict)

    def add(self, raw: bytes) -> int:
        """Write an entry; its place."""
        self.nodes |= merkle.append(len(self.entries), self.nodes, [merkle.leaf_hash(raw)])
        self.entries.append(raw)
        return len(self.entries) - 1

    def note(self, *, key: keys.ServerKey = LOG, origin: str = ORIGIN) -> str:
        """The head now, signed."""
        head = checkpoint.Checkpoint(
            origin, len(self.entries), merkle.root(len(self.entries), self.nodes)
        )
        return checkpoint.sign(head, name=origin, key=key)

    def part(self, places: Sequence[int], sealed: tuple[int, str]) -> LogPart:
        """What goes into a bundle, under the head now."""
        size = len(self.entries)
        return LogPart(
            entries={place: self.entries[place] for place in places},
            leaves={place: self.nodes[0, place] for place in places},
            proofs={p: merkle.inclusion_proof(p, size, self.nodes) for p in places},
            at_seal=sealed[1],
            at_seal_size=sealed[0],
            at_export=self.note(),
            at_export_size=size,
            consistency=merkle.consistency_proof(sealed[0], size, self.nodes),
        )


def a_phone(number: int, log: Log, **changes: Any) -> PhoneKey:
    """An enrolled phone; ``revoked`` and ``since`` say that it was lost."""
    key, dev = PHONES[number], uuid7(100 + number)
    entry = an_entry(
        "device.enrolled", dev, T0 - HOUR, after=sha256(key.spki).hexdigest(), title=key.kid
    )
    place = log.add(entry)
    if "revoked" in changes:
        since = str(changes["since"]) if "since" in changes else ""
        gone = an_entry("device.revoked", dev, changes["revoked"], title=since)
        changes["revoked_entry"] = log.add(gone)
    return PhoneKey(
        kid=key.kid,
        spki=key.spki,
        dev=dev,
        owner=uuid7(900),
        owner_name="检查员甲",
        enrolled=T0 - HOUR,
        enrolled_entry=place,
        **changes,
    )


def a_capture(number: int, phone: PhoneKey, log: Log, raw: bytes, at: int) -> Piece:
    """A picture signed by a phone, received and verified some seconds later."""
    key = next(one for one in PHONES if one.kid == phone.kid)
    plain = a_manifest(id=uuid7(number), dev=phone.dev, kid=phone.kid, seq=number)
    anchor = manifest.Anchor(
        srv=at - 4000,
        mono=1000,
        rtt=80,
        tok=tokens.issue_time(SERVER, srv=at - 4000, nonce=bytes(8)),
    )
    said = msgspec.structs.replace(
        plain,
        media=manifest.Media(
            sha256=sha256(raw).hexdigest(), size=len(raw), mime="image/jpeg", src="stream"
        ),
        t=msgspec.structs.replace(plain.t, wall=at, mono=5000, anchor=anchor),
    )
    spelled = manifest.build(said)
    return _piece(number, log, raw, at, kind="capture", manifest=spelled,
                  signature=key.sign(keys.Tag.CAPTURE, spelled))  # fmt: skip


def an_intake(number: int, log: Log, raw: bytes, at: int) -> Piece:
    """A file that an institution sent: the server signed what it received."""
    spelled = canon.encode(
        {
            "typ": "mingcha.intake/1",
            "kid": SERVER.kid,
            "id": uuid7(number),
            "sha256": sha256(raw).hexdigest(),
            "size": len(raw),
            "mime": "image/jpeg",
            "account": uuid7(901),
            "channel": "portal",
            "notice": uuid7(902),
            "t": at,
        }
    )
    return _piece(number, log, raw, at, kind="intake", manifest=spelled,
                  signature=SERVER.sign_tagged(keys.Tag.RECEIPT, spelled))  # fmt: skip


def _piece(number: int, log: Log, raw: bytes, at: int, **said: Any) -> Piece:
    digest = sha256(raw).hexdigest()
    return Piece(
        id=uuid7(number),
        mime="image/jpeg",
        state="sealed",
        flags=["clock_off"] if number == 2 else [],
        received=log.add(an_entry("evidence.received", uuid7(number), at + 2000, after=digest)),
        verified=log.add(an_entry("evidence.verified", uuid7(number), at + 3000, after=digest)),
        anchored=at + 30_000,
        original=blob(raw),
        **said,
    )


def a_picture(number: int, size: int = 400) -> bytes:
    """Bytes that begin like a picture and differ by their number."""
    return b"\xff\xd8\xff" + sha256(b"%d" % number).digest() * (size // 32)


def a_case(log: Log) -> CaseFile:
    """A case file that was set and entered."""
    content, number = blob(b"%PDF-1.7 a case file"), "某人社案卷〔2026〕1号"
    entry = an_entry(
        "document.rendered", uuid7(650), T0 + 2 * HOUR, after=content.sha256, title=number
    )
    return CaseFile(id=uuid7(650), number=number, entry=log.add(entry), content=content)


@dataclass
class World:
    """What a bundle is made of, for tests that change it before it is made."""

    log: Log
    phones: list[PhoneKey]
    pieces: list[Piece]
    sealed: tuple[int, str]
    said: dict[str, Any]
    case: CaseFile

    def contents(self, **changes: Any) -> Contents:
        """The contents as the service would give them."""
        office = OfficeKeys(SERVER.public, SERVER.kid, LOG.public, LOG.kid)
        places = [piece.received for piece in self.pieces]
        places += [piece.verified for piece in self.pieces]
        for phone in self.phones:
            places.append(phone.enrolled_entry)
            places += [] if phone.revoked_entry is None else [phone.revoked_entry]
        parent = self.pieces[0]
        thumb = blob(a_picture(9999))
        derived = Derived(
            id=uuid7(800),
            parent=parent.id,
            parent_sha256=parent.original.sha256 if parent.original else "0" * 64,
            kind="thumb",
            at=T0,
            recipe="thumb 1",
            content=thumb,
        )
        return Contents(
            **{
                "said": self.said,
                "readme": "证据包\n",
                "environment": {"skipped": ["virus_scan"]},
                "custody": b"time,actor,verb\r\n",
                "pieces": self.pieces,
                "left_out": [],
                "phones": self.phones,
                "office": office,
                "log": self.log.part(
                    sorted({*places, self.said["entry"], self.case.entry}), self.sealed
                ),
                "derived": [derived],
                "stamps": {},
                "case": self.case,
            }
            | changes
        )

    def files(self, **changes: Any) -> dict[str, Blob]:
        return files(self.contents(**changes))

    def packed(self, **changes: Any) -> bytes:
        """The bundle's bytes."""
        return b"".join(pack(self.files(**changes), sign))


def sign(listed: bytes) -> bytes:
    """As the office's server signs a list."""
    return SERVER.sign_tagged(keys.Tag.BUNDLE, listed)


def a_world(count: int = 3, *, intake: bool = True, **lost: Any) -> World:
    """Some captures by two phones, an intake, an order; ``lost`` changes the first phone."""
    log = Log()
    for filler in range(5):
        log.add(an_entry("plan.approved", uuid7(700 + filler), T0 - 2 * HOUR))
    phones = [a_phone(0, log, **lost), a_phone(1, log)]
    pieces = [
        a_capture(n, phones[n % 2], log, a_picture(n), T0 + n * 60_000)
        for n in range(1, count + 1)
    ]
    if intake:
        pieces.append(an_intake(count + 1, log, a_picture(count + 1), T0 + HOUR))
    sealed = (len(log.entries), log.note())
    for filler in range(6):
        log.add(an_entry("plan.closed", uuid7(710 + filler), T0 + 2 * HOUR))
    case = a_case(log)
    ordered = T0 + 3 * HOUR
    entry = log.add(an_entry("dossier.ordered", uuid7(600), ordered))
    said = {
        "id": uuid7(600),
        "audience": "office",
        "subject": {
            "kind": "visit", "id": uuid7(4), "code": "V-1", "institution": "某某培训学校（虚构）",
        },
        "by": {"id": uuid7(903), "name": "监管人员乙", "role": "supervisor"},
        "purpose": "复核",
        "how": "server export",
        "ordered": ordered,
        "made": ordered + 5000,
        "origin": ORIGIN,
        "entry": entry,
    }  # fmt: skip
    return World(log, phones, pieces, sealed, said, case)


def stamped(note: str, *, made: int = -1, at: int = 0) -> tuple[bytes, bytes]:
    """A time stamp over a head, and the roots that say it is good; days after the capture."""
    day = datetime(2026, 9, 22, 3, 4, 5, tzinfo=UTC)
    authority = devtsa.Authority.make(day + timedelta(days=made))
    asked = timestamps.request(note.encode(), nonce=7)
    reply = authority.reply(asked, at=day + timedelta(days=at), serial=1)
    return reply, authority.root_pem()

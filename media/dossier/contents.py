"""What a bundle says: its pieces, keys, log and circumstances as records, and their files.

Source: evidence-and-sync 9.  Times are ms since the epoch, hashes lower hex.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from media import base64url, canon, kinds
from media.dossier.archive import Blob, blob
from media.dossier.program import programs
from media.offline.checks import CASE
from media.offline.curves import SPKI_ED25519, der

Kind = Literal["capture", "intake"]


class Piece(Struct, frozen=True, kw_only=True):
    """One piece of evidence; without ``original`` it says in ``withheld`` why.

    ``received`` and ``verified`` are places of its entries in the log.
    """

    id: str
    kind: Kind
    manifest: bytes
    signature: bytes
    mime: str
    state: str
    flags: Sequence[str]
    received: int
    verified: int
    anchored: int | None = None
    original: Blob | None = None
    withheld: str | None = None

    @property
    def file(self) -> str:
        return f"originals/{self.id}.{kinds.KINDS[self.mime].ending}"


class CaseFile(Struct, frozen=True, kw_only=True):
    """案卷 as one PDF: its document, number, the place of the entry about its bytes."""

    id: str
    number: str
    entry: int
    content: Blob


class PhoneKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The key of a phone and what the log says about it; ``spki`` is DER."""

    kid: str
    spki: bytes
    dev: str
    owner: str
    owner_name: str
    enrolled: int
    enrolled_entry: int
    revoked: int | None = None
    revoked_entry: int | None = None
    since: int | None = None


class OfficeKeys(Struct, frozen=True):
    """The two public keys of the installation, 32 bytes each, and their ids."""

    server: bytes
    server_kid: str
    log: bytes
    log_kid: str


class LogPart(Struct, frozen=True, kw_only=True):
    """Entries by place as their exact bytes, proofs by place, two heads and what joins them."""

    entries: Mapping[int, bytes]
    leaves: Mapping[int, bytes]
    proofs: Mapping[int, Sequence[bytes]]
    at_seal: str
    at_seal_size: int
    at_export: str
    at_export_size: int
    consistency: Sequence[bytes]


class Derived(Struct, frozen=True, kw_only=True):
    """One derivative 派生件, ready to be read."""

    id: str
    parent: str
    parent_sha256: str
    kind: str
    at: int
    recipe: str
    content: Blob
    variant: int = 0

    @property
    def file(self) -> str:
        number = f"-{self.variant}" if self.variant else ""
        return f"derivatives/{self.parent}-{self.kind}{number}.jpg"


class Contents(Struct, frozen=True, kw_only=True):
    """Everything that goes in; ``said`` is the head of ``extraction.json``."""

    said: dict[str, Any]
    readme: str
    environment: dict[str, Any]
    custody: bytes
    pieces: Sequence[Piece]
    left_out: Sequence[dict[str, Any]]
    phones: Sequence[PhoneKey]
    office: OfficeKeys
    log: LogPart
    derived: Sequence[Derived]
    stamps: Mapping[str, bytes]
    case: CaseFile | None = None


def files(contents: Contents) -> dict[str, Blob]:
    """Every file of the bundle but the list and its signature, by name.

    Raises: NotCanonical when a text cannot be spelled.
    Source: evidence-and-sync 9.
    """
    found = {name: blob(raw) for name, raw in programs().items()}
    found["README.zh.txt"] = blob(contents.readme.encode())
    found["custody.csv"] = blob(contents.custody)
    found["environment.json"] = _json(contents.environment)
    found["extraction.json"] = _json(_extraction(contents))
    found["derivatives/derivation.json"] = _json(_derivation(contents.derived))
    found |= {name: blob(raw) for name, raw in contents.stamps.items()}
    found |= {one.file: one.content for one in contents.derived}
    if contents.case is not None:
        found[CASE] = contents.case.content
    found |= _keys(contents)
    found |= _log(contents.log)
    for piece in contents.pieces:
        found |= _piece(piece)
    return found


def _json(value: dict[str, Any]) -> Blob:
    return blob(canon.encode(value))


def _piece(piece: Piece) -> dict[str, Blob]:
    base = f"manifests/{piece.id}"
    found = {f"{base}.json": blob(piece.manifest), f"{base}.sig": blob(piece.signature)}
    if piece.kind == "capture":
        found[f"{base}.sig.der"] = blob(der(piece.signature))
    if piece.original is not None:
        found[piece.file] = piece.original
    return found


def _item(piece: Piece) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": piece.id,
        "kind": piece.kind,
        "state": piece.state,
        "flags": list(piece.flags),
        "received": piece.received,
        "verified": piece.verified,
    }
    said |= {"file": piece.file} if piece.original else {"withheld": piece.withheld or "absent"}
    return said if piece.anchored is None else said | {"anchored": piece.anchored}


def _extraction(contents: Contents) -> dict[str, Any]:
    office = contents.office
    kids = {phone.kid for phone in contents.phones} | {office.server_kid, office.log_kid}
    return (
        contents.said
        | _case(contents.case)
        | {
            "typ": "mingcha.bundle/1",
            "server": office.server_kid,
            "log": office.log_kid,
            "items": [_item(piece) for piece in contents.pieces],
            "left_out": list(contents.left_out),
            "keys": sorted(kids),
            "entries": sorted(contents.log.entries),
            "stamps": sorted(contents.stamps),
        }
    )


def _case(case: CaseFile | None) -> dict[str, Any]:
    if case is None:
        return {}
    return {"case": {"id": case.id, "number": case.number, "entry": case.entry}}


def _keys(contents: Contents) -> dict[str, Blob]:
    office = contents.office
    found = [_phone_key(phone) for phone in contents.phones]
    found += [
        _key(office.server_kid, "server", "Ed25519", SPKI_ED25519 + office.server),
        _key(office.log_kid, "log", "Ed25519", SPKI_ED25519 + office.log),
    ]
    return {f"keys/{key['kid']}.json": _json(key) for key in found}


def _key(kid: str, role: str, alg: str, spki: bytes) -> dict[str, Any]:
    return {
        "typ": "mingcha.key/1",
        "kid": kid,
        "role": role,
        "alg": alg,
        "spki": base64url.encode(spki),
    }


def _phone_key(phone: PhoneKey) -> dict[str, Any]:
    said = _key(phone.kid, "device", "ES256", phone.spki) | {
        "dev": phone.dev,
        "owner": {"id": phone.owner, "name": phone.owner_name},
        "enrolled": phone.enrolled,
        "enrolled_entry": phone.enrolled_entry,
    }
    later = {
        "revoked": phone.revoked,
        "revoked_entry": phone.revoked_entry,
        "since": phone.since,
    }
    return said | {name: value for name, value in later.items() if value is not None}


def _log(log: LogPart) -> dict[str, Blob]:
    found = {
        "checkpoints/at-seal.note": blob(log.at_seal.encode()),
        "checkpoints/at-export.note": blob(log.at_export.encode()),
        "checkpoints/consistency.json": _json(
            {
                "typ": "mingcha.consistency/1",
                "old": log.at_seal_size,
                "new": log.at_export_size,
                "proof": [node.hex() for node in log.consistency],
            }
        ),
    }
    for place, raw in log.entries.items():
        found[f"log/{place}.json"] = blob(raw)
        found[f"proofs/{place}.json"] = _json(
            {
                "typ": "mingcha.inclusion/1",
                "index": place,
                "size": log.at_export_size,
                "leaf": log.leaves[place].hex(),
                "proof": [node.hex() for node in log.proofs[place]],
            }
        )
    return found


def _derivation(derived: Sequence[Derived]) -> dict[str, Any]:
    listed = [
        {
            "id": one.id,
            "parent": one.parent,
            "parent_sha256": one.parent_sha256,
            "kind": one.kind,
            "file": one.file,
            "sha256": one.content.sha256,
            "at": one.at,
            "recipe": one.recipe,
        }
        for one in derived
    ]
    return {"typ": "mingcha.derivation/1", "files": listed}

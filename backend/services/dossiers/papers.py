"""What a bundle says beside its proofs: README, custody, environment, who and why."""

import platform
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml

from backend.services.dossiers.gather import Gathered, Head, ms
from backend.services.imports import child
from media.dossier.contents import OfficeKeys
from media.dossier.program import programs
from media.offline.curves import SPKI_ED25519

FILE = Path(__file__).parents[2] / "texts" / "dossier.yaml"
SHANGHAI = ZoneInfo("Asia/Shanghai")
# What an institution may read of a piece's way; who looked at it inside the office is not.
SHOWN = frozenset(
    {
        "evidence.received",
        "evidence.verified",
        "evidence.sealed",
        "evidence.taken_in",
        "evidence.disclosed",
        "dossier.ordered",
    }
)
HOW = "read from the object store, each original hashed again, packed by the server"


@cache
def _texts() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def _time(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def plain(text: str) -> str:
    """A text as canonical records have it; directories may hold it in another form."""
    return unicodedata.normalize("NFC", text)


def fingerprint(public: bytes) -> str:
    """SHA-256 of an Ed25519 key in its SubjectPublicKeyInfo, as verifiers print it."""
    return sha256(SPKI_ED25519 + public).hexdigest()


def readme(found: Gathered, office: OfficeKeys) -> str:
    """README.zh.txt: what is proved, what is not, how to check it."""
    words, order = _texts(), found.order
    return str(words["readme"]).format(
        id=order["id"],
        subject=found.code or order["case_file"],
        institution=order["named"],
        purpose=order["purpose"],
        by=found.person["display_name"],
        ordered=_time(order["ordered_at"]),
        pieces=len(found.pieces),
        left_out=len(found.left_out),
        stamp=words["stamp"]["some" if found.newest.tsr or found.sealed.tsr else "none"],
        audience=words["audience"][order["audience"]],
        server=fingerprint(office.server),
        log=fingerprint(office.log),
    )


def custody(found: Gathered) -> bytes:
    """custody.csv: every act on the pieces, with its place and leaf in the log."""
    lines = []
    for row in found.custody:
        body = row["body"]
        if not found.whole and body["verb"] not in SHOWN:
            continue
        place = "" if row["tree_index"] is None else str(row["tree_index"])
        lines.append(
            [
                _time(datetime.fromtimestamp(body["t"] / 1000, SHANGHAI)),
                body["actor"]["name_snapshot"] if found.whole else "",
                body["actor"]["role"],
                body["verb"],
                body["object"]["type"],
                body["object"]["id"],
                body["object"]["title_snapshot"] if found.whole else "",
                body["reason"] if found.whole else "",
                place,
                bytes(row["leaf"]).hex(),
            ]
        )
    return child.write_csv(_texts()["custody"]["heads"], lines)


def _anchor(head: Head) -> dict[str, Any]:
    said: dict[str, Any] = {"size": head.size, "signed": ms(head.created_at)}
    if head.anchored_at is not None:
        said["locked_bucket"] = ms(head.anchored_at)
    if head.stamped_at is not None:
        said["stamped"] = ms(head.stamped_at)
        said["authority"] = head.authority or ""
        said["clock_offset_ms"] = ms(head.created_at) - ms(head.stamped_at)
    return said


def environment(
    found: Gathered, selfcheck: Path, *, mode: str, case: bool, revocations: bool
) -> dict[str, Any]:
    """environment.json: programs, doors of the store, anchors, and what was not checked.

    ``case``: the case file goes along; ``revocations``: an operator put the time-stamp
    authority's revocation lists beside its certificates.
    """
    lines = _selfcheck(selfcheck)
    skipped = _skipped(found) | (set() if lines else {"store_selfcheck"})
    # A visit has no case file, and an institution is not given the office's.
    wanted = found.order["case_file"] is not None and found.whole
    skipped |= {"case_pdf"} if wanted and not case else set()
    stamped = found.newest.tsr is not None or found.sealed.tsr is not None
    skipped |= {"time_stamp_revocation"} if stamped and not revocations else set()
    return {
        "typ": "mingcha.environment/1",
        "software": {
            "python": platform.python_version(),
            "programs": {name: sha256(raw).hexdigest() for name, raw in programs().items()},
        },
        "store": "verified" if mode == "on" else "store unverified",
        "selfcheck": lines,
        "heads": {"at_seal": _anchor(found.sealed), "at_export": _anchor(found.newest)},
        "log_key": "held by the server's own user, not by a separate one",
        "skipped": sorted(skipped),
    }


def _selfcheck(file: Path) -> list[dict[str, Any]]:
    """The lines that the last start of the embedded store left; none for another store."""
    try:
        lines = msgspec.json.decode(file.read_bytes(), type=list[dict[str, str]])
    except (OSError, msgspec.MsgspecError):
        return []
    return [dict(line) for line in lines]


def _skipped(found: Gathered) -> set[str]:
    scans = [(row["facts"] or {}).get("scan") or {} for row in found.pieces]
    skipped = set()
    if any(scan.get("state") != "clean" for scan in scans):
        skipped.add("virus_scan")
    if found.newest.tsr is None:
        skipped.add("time_stamp")
    if any("dev-tsa" in (head.authority or "") for head in (found.sealed, found.newest)):
        skipped.add("independent_time_stamp_authority")
    return skipped


def head(found: Gathered, *, origin: str, made: datetime) -> dict[str, Any]:
    """The beginning of extraction.json: who, when, how, for what, before which witness."""
    order: Mapping[str, Any] = found.order
    case = order["case_file"]
    said = {
        "id": str(order["id"]),
        "audience": order["audience"],
        "subject": {
            "kind": "visit" if case is None else "case",
            "id": str(order["visit"] if case is None else case),
            "code": plain(found.code),
            "institution": plain(order["named"]),
        },
        "by": {
            "id": str(order["ordered_by"]),
            "name": plain(found.person["display_name"]),
            "role": found.person["roles"],
        },
        "purpose": plain(order["purpose"]),
        "how": HOW,
        "ordered": ms(order["ordered_at"]),
        "made": ms(made),
        "origin": origin,
        "entry": found.ordered,
    }
    return said if order["witness"] is None else said | {"witness": plain(order["witness"])}

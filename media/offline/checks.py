"""The checks V1 to V9 of an evidence bundle, in one order for all verifiers.

Nothing is believed before the signed list of files: first the container and the names (V1), the
sums (V2) and the signature over them; then each record, key, entry, head and item.
Source: evidence-and-sync 9.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from media.offline.boxes import Box, legal, plain
from media.offline.curves import SPKI_ED25519, der, ed25519, es256, p256_point
from media.offline.proofs import extends, includes, leaf_hash
from media.offline.reading import Fault, Unfit, base64url, record
from media.offline.stamps import stamped_at
from media.offline.trees import Head, Unsigned, head

CHECKS = ("V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9")
SUMS, SUMS_SIG = "SHA256SUMS", "SHA256SUMS.sig"
ROOTS = "tsa/roots.pem"
CASE = "case.pdf"
SUMS_MOST = 1 << 25
FIXED = (
    "README.zh.txt",
    "checkpoints/at-export.note",
    "checkpoints/at-seal.note",
    "checkpoints/consistency.json",
    "custody.csv",
    "derivatives/derivation.json",
    "environment.json",
    "extraction.json",
    "verify.html",
    "verify.py",
    "verify.sh",
)
SPKI_BYTES = 44
BULKY = ("originals/", "derivatives/")
CAPTURE, RECEIPT = b"MINGCHA-CAPTURE-V1\n", b"MINGCHA-RECEIPT-V1\n"
TIME, BUNDLE = b"MINGCHA-TIME-V1\n", b"MINGCHA-BUNDLE-V1\n"


def _wanted(said: dict[str, Any]) -> set[str]:
    """Give the names of all files that an extraction asks for, but derivatives."""
    wanted = set(FIXED) | set(said["stamps"]) | ({CASE} if "case" in said else set())
    wanted |= {f"keys/{kid}.json" for kid in said["keys"]}
    for number in said["entries"]:
        wanted |= {f"log/{number}.json", f"proofs/{number}.json"}
    for item in said["items"]:
        base = f"manifests/{item['id']}"
        wanted |= {base + ".json", base + ".sig"}
        wanted |= {base + ".sig.der"} if item["kind"] == "capture" else set()
        wanted |= {item["file"]} if "file" in item else set()
    return wanted


class Stop(Exception):  # noqa: N818 - an order, not an error
    """What was found forbids looking further."""


class Report:
    """What was found: faults in order, a line for each item, whose keys they hang on."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.unchecked: dict[str, str] = {}
        self.items: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}
        self.trusted: bool | None = None
        self.extraction: dict[str, Any] = {}
        self.stamps: list[tuple[str, str]] = []
        self.finished = False

    def fault(self, check: str, code: str, subject: str = "") -> None:
        """Note what does not hold."""
        self.faults.append(Fault(check, code, subject))

    def state(self, check: str) -> str:
        """Give failed, not-checked, none (nothing is there to check) or ok."""
        if any(fault.check == check for fault in self.faults):
            return "failed"
        if not self.finished:
            return "not-checked"
        return self.unchecked.get(check, "ok")

    def verdict(self) -> str:
        """Give rejected, partial or verified."""
        states = [self.state(check) for check in CHECKS]
        if "failed" in states:
            return "rejected"
        return "partial" if "not-checked" in states else "verified"


class Examination:
    """One run over one box; ``trust`` holds fingerprints that the reader has from elsewhere."""

    def __init__(self, box: Box, trust: set[str]) -> None:
        self.box, self.trust, self.report = box, trust, Report()
        self.sums: dict[str, str] = {}
        self.bad: set[str] = set()
        self.public: dict[str, bytes] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.entries: dict[int, dict[str, Any]] = {}
        self.sealed = Head(0, b"")

    def run(self) -> Report:
        """Go through all checks; what was found is in the report."""
        try:
            self._list()
            self._contents()
            self._believe()
            self._log()
            for item in self.report.extraction["items"]:
                self._item(item)
            self._derivatives()
            self._stamps()
            self.report.finished = True
        except Stop:
            pass
        except Fault as fault:
            self.report.faults.append(fault)
        if not self.box.sealed:
            self.report.unchecked["V1"] = "not-checked"
        return self.report

    def _record(self, name: str, form: str) -> dict[str, Any]:
        try:
            return record(self.box.read(name), form)
        except Unfit:
            raise Fault("V3", "record.form", name) from None

    def _list(self) -> None:
        """V1: legal names, each once, and exactly those of the list, in its order."""
        names = self.box.names
        for name in names:
            if not legal(name):
                raise Fault("V1", "name.illegal", plain(name))
        if len(set(names)) != len(names):
            raise Fault("V1", "name.twice")
        if SUMS not in names or SUMS_SIG not in names:
            raise Fault("V1", "list.missing", SUMS)
        raw = self.box.read(SUMS)
        lines = raw.decode("ascii", "replace").split("\n")
        listed = [line[66:] for line in lines[:-1]]
        self.sums = {line[66:]: line[:64] for line in lines[:-1]}
        spelled = "".join(
            f"{self.sums[name]}  {name}\n" for name in sorted(self.sums) if legal(name)
        )
        if len(raw) > SUMS_MOST or spelled.encode("ascii", "replace") != raw:
            raise Fault("V1", "sums.form")
        self._same(set(listed) | {SUMS, SUMS_SIG}, set(names))
        if self.box.sealed and names != [*listed, SUMS, SUMS_SIG]:
            raise Fault("V1", "zip.order")

    def _same(self, wanted: set[str], found: set[str]) -> None:
        for name in sorted(wanted - found):
            self.report.fault("V1", "list.missing", name)
        for name in sorted(found - wanted):
            self.report.fault("V1", "list.extra", name)
        if wanted != found:
            raise Stop

    def _contents(self) -> None:
        """V2: every file has the sum of the list; the container agrees about what it holds."""
        for name, said in self.sums.items():
            if self.box.hashed(name) != said:
                self.bad.add(name)
                self.report.fault("V2", "sum.differs", name)
            elif not self.box.crc_holds(name):
                self.report.fault("V1", "zip.crc", name)
        for name in (SUMS, SUMS_SIG):
            self.box.read(name)
            if not self.box.crc_holds(name):
                self.report.fault("V1", "zip.crc", name)
        if any(not name.startswith(BULKY) for name in self.bad):
            raise Stop

    def _believe(self) -> None:
        """V1, V2: the list is what the extraction asks for, and the office's server signed it."""
        self._same(set(self.sums).union(FIXED), set(self.sums))
        said = self.report.extraction = self._record("extraction.json", "extraction")
        ids = {item["id"] for item in said["items"]}
        tokens = all(name.startswith("tsa/") for name in said["stamps"])
        if len(ids) != len(said["items"]) or not tokens:
            raise Fault("V3", "record.form", "extraction.json")
        derived = self._record("derivatives/derivation.json", "derivation")["files"]
        self._same(_wanted(said) | {one["file"] for one in derived}, set(self.sums))
        for kid in said["keys"]:
            try:
                self._key(kid, f"keys/{kid}.json")
            except Fault as fault:
                self.report.faults.append(fault)
        for role in ("server", "log"):
            key = self.keys.get(said[role])
            if key is None or key["role"] != role:
                raise Fault("V4", "key.missing", role)
            self.report.keys[role] = key["print"]
            self.public[role] = key["public"]
        signature = self.box.read(SUMS_SIG)
        if not ed25519(self.public["server"], BUNDLE + self.box.read(SUMS), signature):
            raise Fault("V2", "sums.signature", SUMS_SIG)
        if self.trust:
            self.report.trusted = self.trust >= set(self.report.keys.values())
            if not self.report.trusted:
                raise Fault("V2", "key.untrusted")

    def _key(self, kid: str, name: str) -> None:
        """V8, V4: phones have P-256, the office Ed25519; a key has the id that names it."""
        key = self._record(name, "key")
        try:
            spki = base64url(key["spki"])
        except Unfit:
            raise Fault("V3", "record.form", name) from None
        key["print"] = sha256(spki).hexdigest()
        if not kid == key["kid"] == key["print"][:16]:
            raise Fault("V4", "key.id", name)
        key["point"], key["public"] = p256_point(spki), spki[12:]
        device = key["role"] == "device"
        office = spki.startswith(SPKI_ED25519) and len(spki) == SPKI_BYTES
        fits = key["point"] if device else office
        if not fits or key["alg"] != ("ES256" if device else "Ed25519"):
            raise Fault("V8", "key.algorithm", name)
        self.keys[kid] = key

    def _log(self) -> None:
        """V7: both heads are the log's, the later extends the earlier; V6: entries are in it."""
        origin, public = self.report.extraction["origin"], self.public["log"]
        heads = []
        for when in ("at-seal", "at-export"):
            name = f"checkpoints/{when}.note"
            try:
                heads.append(head(self.box.read(name), origin, public))
            except Unsigned as wrong:
                self.report.fault("V7", "head." + str(wrong), name)
        if len(heads) != 2:  # noqa: PLR2004 - the one at sealing, the one at export
            raise Stop
        self.sealed, newest = heads
        name = "checkpoints/consistency.json"
        grown = self._record(name, "consistency")
        proof = [bytes.fromhex(one) for one in grown["proof"]]
        sizes = (grown["old"], grown["new"])
        if sizes != (self.sealed.size, newest.size) or not extends(
            sizes[0], sizes[1], proof, self.sealed.root, newest.root
        ):
            self.report.fault("V7", "head.inconsistent", name)
        for number in self.report.extraction["entries"]:
            self._entry(number, newest)
        for kid, key in sorted(self.keys.items()):
            if key["role"] == "device":
                self._enrolment(key, f"keys/{kid}.json")
        self._ordered()

    def _entry(self, number: int, newest: Head) -> None:
        name = f"log/{number}.json"
        try:
            raw = self.box.read(name)
            entry = self._record(name, "entry")
            way = self._record(f"proofs/{number}.json", "inclusion")
        except Fault as fault:
            self.report.faults.append(fault)
            return
        leaf, proof = leaf_hash(raw), [bytes.fromhex(one) for one in way["proof"]]
        said = (way["index"], way["size"], way["leaf"])
        if said != (number, newest.size, leaf.hex()) or not includes(
            leaf, number, newest.size, proof, newest.root
        ):
            self.report.fault("V6", "entry.not_included", name)
            return
        self.entries[number] = entry

    def _says(self, number: int | None, verb: str, about: str) -> dict[str, Any] | None:
        """A proved entry with this verb about this thing."""
        entry = self.entries.get(-1 if number is None else number)
        if entry is None or entry["verb"] != verb or entry["object"]["id"] != about:
            return None
        return entry

    def _ordered(self) -> None:
        said = self.report.extraction
        entry = self._says(said["entry"], "dossier.ordered", said["id"])
        if entry is None or entry["t"] != said["ordered"]:
            self.report.fault("V6", "entry.other", "extraction.json")
        if "case" in said:
            self._case(said["case"])

    def _case(self, said: dict[str, Any]) -> None:
        """V6: the case file is the very document that was set and entered under its number."""
        entry = self._says(said["entry"], "document.rendered", said["id"])
        if entry is None or (entry["object"]["title_snapshot"], entry["after_sha"]) != (
            said["number"],
            self.sums[CASE],
        ):
            self.report.fault("V6", "entry.other", CASE)

    def _enrolment(self, key: dict[str, Any], name: str) -> None:
        """V5: when a phone's key was enrolled and revoked is what the log says."""
        entry = self._says(key.get("enrolled_entry"), "device.enrolled", key.get("dev", ""))
        known = entry is not None and (
            entry["t"] == key.get("enrolled")
            and entry["object"]["title_snapshot"] == key["kid"]
            and entry["after_sha"] in ("", key["print"])
        )
        if "revoked" in key or "revoked_entry" in key or "since" in key:
            entry = self._says(key.get("revoked_entry"), "device.revoked", key.get("dev", ""))
            said = "" if "since" not in key else str(key["since"])
            known = known and entry is not None and entry["t"] == key.get("revoked")
            known = known and entry is not None and entry["object"]["title_snapshot"] == said
        if not known:
            self.report.fault("V5", "key.not_in_log", name)
            del self.keys[key["kid"]]

    def _item(self, item: dict[str, Any]) -> None:
        line: dict[str, Any] = {"id": item["id"], "state": "failed", "key": "-", "source": "-"}
        line.update(flags=item["flags"], withheld="file" not in item)
        self.report.items.append(line)
        before = len(self.report.faults)
        try:
            self._piece(item, line)
        except Fault as fault:
            self.report.faults.append(fault)
        if len(self.report.faults) == before and item.get("file") not in self.bad:
            line["state"] = "ok"

    def _piece(self, item: dict[str, Any], line: dict[str, Any]) -> None:
        name = f"manifests/{item['id']}.json"
        raw, signature = self.box.read(name), self.box.read(name[:-4] + "sig")
        said = self._record(name, item["kind"])
        own = item.get("file", f"originals/{item['id']}.").startswith(f"originals/{item['id']}.")
        if said["id"] != item["id"] or not own:
            raise Fault("V3", "record.form", name)
        capture = item["kind"] == "capture"
        if capture:
            key = self._signed(said, raw, signature, name)
        elif said["kid"] != self.report.extraction["server"] or not ed25519(
            self.public["server"], RECEIPT + raw, signature
        ):
            raise Fault("V4", "signature.wrong", name)
        media = said["media"] if capture else said
        line["source"] = media["src"] if capture else "received"
        self._original(item, media)
        received = self._says(item["received"], "evidence.received", item["id"])
        verified = self._says(item["verified"], "evidence.verified", item["id"])
        for entry in (received, verified):
            if entry is None or entry["after_sha"] != media["sha256"]:
                raise Fault("V6", "entry.other", name)
        if item["verified"] >= self.sealed.size:
            raise Fault("V7", "head.before_seal", name)
        if received is not None:
            line["until"] = received["t"]
        line["since"], line["claimed"] = self._times(said) if capture else (None, None)
        if "anchored" in item and line["claimed"] is not None:
            line["gap"] = item["anchored"] - line["claimed"]
        if capture:
            self._standing(key, said, line, name)

    def _signed(
        self, said: dict[str, Any], raw: bytes, signature: bytes, name: str
    ) -> dict[str, Any]:
        """V8, V4: the phone's key signed the exact bytes; both spellings are one signature."""
        if said["alg"] != "ES256":
            raise Fault("V8", "manifest.algorithm", name)
        key = self.keys.get(said["kid"])
        if key is None or key["role"] != "device" or key.get("dev") != said["dev"]:
            raise Fault("V4", "key.missing", name)
        if not es256(key["point"], CAPTURE + raw, signature):
            raise Fault("V4", "signature.wrong", name)
        if self.box.read(name[:-4] + "sig.der") != der(signature):
            raise Fault("V4", "signature.der", name)
        return key

    def _original(self, item: dict[str, Any], media: dict[str, Any]) -> None:
        """V2: the bytes are those whose hash was signed."""
        name = item.get("file")
        if name is not None and self.sums[name] != media["sha256"]:
            raise Fault("V2", "original.differs", name)

    def _times(self, said: dict[str, Any]) -> tuple[int | None, int]:
        """Not before (proved by the server's token, or None), and the claimed instant, ms."""
        times = said["t"]
        anchor = times["anchor"]
        passed = times["mono"] - anchor["mono"]
        body, _, stamp = anchor["tok"].partition(".")
        try:
            raw = base64url(body)
            token = record(raw, "time")
            signed = ed25519(self.public["server"], TIME + raw, base64url(stamp))
        except Unfit:
            return None, times["wall"]
        known = signed and token["kid"] == self.report.extraction["server"]
        if not known or token["srv"] != anchor["srv"] or passed < 0:
            return None, times["wall"]
        return anchor["srv"], anchor["srv"] + passed

    def _standing(
        self, key: dict[str, Any], said: dict[str, Any], line: dict[str, Any], name: str
    ) -> None:
        """V5: the key was good when the picture was taken and when it was received."""
        line["key"] = "ok"
        if line["until"] < key["enrolled"]:
            raise Fault("V5", "key.too_early", name)
        if "revoked" not in key:
            return
        since = key.get("since", key["revoked"])
        line["key"] = f"revoked@{key['revoked']}"
        if line["claimed"] >= since or line["until"] >= key["revoked"]:
            line["state"] = "revoked"
            self.report.fault("V5", "key.revoked", f"{said['id']} {key['revoked']}")
        else:
            line["key"] = f"ok,revoked@{key['revoked']}"

    def _derivatives(self) -> None:
        """V2: a derivative is the file that was recorded, made from the original it names."""
        parents = {item["id"] for item in self.report.extraction["items"]}
        for one in self._record("derivatives/derivation.json", "derivation")["files"]:
            name = one["file"]
            if not name.startswith("derivatives/") or one["parent"] not in parents:
                self.report.fault("V3", "record.form", name)
            elif self.sums[name] != one["sha256"] and name not in self.bad:
                self.report.fault("V2", "derivative.differs", name)

    def _stamps(self) -> None:
        """V9: a time stamp is over the very bytes of a head, by a signer under a given root."""
        names = self.report.extraction["stamps"]
        tokens = [name for name in names if name.endswith(".tsr")]
        roots = self.box.read(ROOTS) if ROOTS in names else None
        holds = roots is not None
        for name in tokens:
            try:
                at, known = self._stamp(name, f"checkpoints/{name[4:-4]}.note", roots)
            except ValueError:
                self.report.fault("V9", "stamp.other", name)
            else:
                self.report.stamps.append((name, at))
                holds = holds and known
        self.report.unchecked["V9"] = ("ok" if holds else "not-checked") if tokens else "none"

    def _stamp(self, name: str, note: str, roots: bytes | None) -> tuple[str, bool]:
        if note not in FIXED:
            raise ValueError(note)
        return stamped_at(self.box.read(name), sha256(self.box.read(note)).digest(), roots)

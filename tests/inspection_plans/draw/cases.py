"""Seeds, frames, crews and one whole played record for the tests of the draw."""

import hashlib
import random
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from inspection_plans.draw import merkle, outcome, record, seed

Row = dict[str, Any]


def a_seed(number: int) -> str:
    return hashlib.sha256(b"case %d" % number).hexdigest()


def seeds() -> st.SearchStrategy[str]:
    return st.integers(0, 10**6).map(a_seed)


def random_frame(number: int) -> tuple[Row, list[Row]]:
    """A plan and rows in which every rule of section 5 occurs now and then."""
    rng = random.Random(number)
    names = rng.sample(["A", "甲", "S1", "b", "乙", "z9"], rng.randint(1, 3))
    mode = rng.choice(["ratio", "total"])
    strata = []
    for name in names:
        stratum: Row = {"id": name, "ratio": rng.choice(["0", "1/3", "0.25", "1", "7/10", "0.05"])}
        for limit in ("min", "max", "size"):
            if rng.random() < 0.3:
                stratum[limit] = rng.randint(0, 9)
        strata.append(stratum)
    plan: Row = {"mode": mode, "strata": strata, "reserve": rng.randint(0, 3)}
    if mode == "total":
        plan["total"] = rng.randint(0, 20)
    if rng.random() < 0.5:
        plan["base"] = rng.choice(["frame", "eligible"])
    heavy = rng.random() < 0.5
    rows = []
    for i in range(rng.randint(0, 30)):
        row: Row = {"id": f"机构{rng.choice('αb')}{i:03d}", "stratum": rng.choice(names)}
        if heavy and rng.random() < 0.8:
            row["w"] = rng.choice([1, 2, 3, 50, 2**32])
        if rng.random() < 0.1:
            row["must"] = True
        elif rng.random() < 0.15:
            row["excl"] = "COOLDOWN"
        rows.append(row)
    rng.shuffle(rows)
    return plan, rows


def random_crew(number: int) -> Row:
    """Visits, inspectors and blocked pairs, often too few people, often unevenly loaded."""
    rng = random.Random(number)
    areas, skills = ["A", "B", ""], ["exam", "book"]
    visits = []
    for i in range(rng.randint(0, 7)):
        visit: Row = {"id": f"v{i:02d}", "size": rng.choice([2, 2, 2, 3])}
        if rng.random() < 0.5:
            visit["area"] = rng.choice(areas)
        if rng.random() < 0.3:
            visit["skills"] = rng.sample(skills, rng.randint(1, 2))
        visits.append(visit)
    inspectors = []
    for i in range(rng.randint(1, 7)):
        load = rng.choice([0, 0, 0, 1, 3])
        inspectors.append(
            {
                "id": f"p{i:02d}",
                "lead": rng.random() < 0.5,
                "skills": [s for s in skills if rng.random() < 0.4],
                "areas": [a for a in areas if rng.random() < 0.6],
                "cap": rng.randint(1, 6),
                "load": load,
            }
        )
    pairs = [[p["id"], v["id"]] for p in inspectors for v in visits]
    blocked = [pair for pair in pairs if rng.random() < rng.choice([0, 0.1, 0.3])]
    rng.shuffle(blocked)
    return {"visits": visits, "inspectors": inspectors, "blocked": blocked}


PLAN: Row = {
    "mode": "ratio",
    "reserve": 2,
    "strata": [{"id": "S1", "ratio": "1/4"}, {"id": "S2", "ratio": "0.5"}],
    "team": {"size": 2},
    "days": ["2027-01-11", "2027-01-12", "2027-01-13"],
    "manual_limit": "1/10",
    "withdrawal_limit": 2,
}
KEYS = {"objects": a_seed(101), "inspectors": a_seed(102)}
DICE = {"source": "dice", "ref": "hall-1", "value": "31415926535897932384"}
DRAND = {"source": "drand", "ref": "round-4000000", "value": "8f" * 32}


def frames(alg: str = "sha256") -> Row:
    objects: list[Row] = [
        {"id": f"9137{i:04d}/T", "stratum": "S1" if i % 3 else "S2"} for i in range(12)
    ]
    objects[1]["w"] = 2
    objects[4]["must"] = True
    objects[7]["excl"] = "MANUAL"
    inspectors = [
        {
            "id": f"p{i}",
            "lead": i % 2 == 0,
            "skills": [],
            "areas": ["W"],
            "cap": 4,
            "load": i % 2,
            "person": seed.person(alg, a_seed(200 + i), f"LIC-{i}"),
        }
        for i in range(6)
    ]
    blocked = sorted([["p0", "91370001/T"], ["p3", "91370004/T"], ["p5", "91370009/T"]])
    return {"objects": objects, "inspectors": inspectors, "blocked": blocked}


class Office:
    """Plays a ceremony into a log, one entry a minute; every party signs with its own key."""

    def __init__(
        self, alg: str = "sha256", *, plan: Row | None = None, day: str = "2027-01-04"
    ) -> None:
        self.alg = alg
        self.day = day
        self.draw = "2027-01"
        self.plan = PLAN if plan is None else plan
        self.frames = frames(alg)
        self.log: list[Row] = []
        self.outcome: Row = {}
        self.seed = ""
        self.seeds: list[str] = []
        self.parties: tuple[str, ...] = ()

    def write(self, kind: str, /, **body: Any) -> Row:
        minute = len(self.log)
        time = f"{self.day}T{8 + minute // 60:02d}:{minute % 60:02d}:00Z"
        entry = record.append(self.log, kind, body, time, alg=self.alg)
        self.log.append(entry)
        return entry

    def year(self, **more: str) -> None:
        due = {self.draw: "2027-03-31", **more}
        draws = [{"draw": d, "due": due[d], "number": i} for i, d in enumerate(due, 1)]
        self.write("plan_year", year=2027, draws=draws)

    def sign(self, party: str) -> dict[str, str]:
        """A party's signature over the head as it is."""
        head = record.head(self.log)
        signature = key_of(party).sign(bytes.fromhex(head)).hex()
        return {"party": party, "head": head, "signature": signature}

    def attempt(
        self,
        number: int = 1,
        parties: tuple[str, ...] = ("operator", "supervisor"),
        entropy: tuple[Row, ...] = (DICE,),
        *,
        stage: str = "draw",
        **more: Any,
    ) -> dict[str, str]:
        """Open, freeze, commit, entropy, reveal; gives the secrets."""
        mine = {"draw": self.draw, "attempt": number}
        secrets = {party: a_seed(hash_of(party) + number) for party in parties}
        self.write("attempt_open", **mine, stage=stage)
        self.write("plan", **mine, digest=record.digest(self.alg, self.plan))
        names = [{"source": e["source"], "ref": e["ref"]} for e in entropy]
        keys = [{"party": p, "kind": p, "key": public_key(p)} for p in parties]
        body = record.frozen(self.alg, self.frames, KEYS)
        body = {**body, "parties": list(parties), "party_keys": keys, "entropy": names, **more}
        self.parties = parties
        self.write("freeze", **mine, **body)
        for party, secret in secrets.items():
            commit = seed.commitment(self.alg, self.draw, number, party, secret)
            signature = key_of(party).sign(seed.tagged("ssj1.commit") + bytes.fromhex(commit))
            self.write("commit", **mine, party=party, commitment=commit, signature=signature.hex())
        for entry in entropy:
            seen = {"witnesses": ["W. A", "W. B"]} if entry["source"] == "dice" else {}
            self.write("entropy", **mine, **entry, **seen)
        for party, secret in secrets.items():
            known = record.hexdigest(self.alg, bytes.fromhex(secret))
            signed = [self.sign(party)]
            self.write("reveal", **mine, party=party, digest=known, countersigned=signed)
        roots = record.frozen(self.alg, self.frames, KEYS)
        self.seed = seed.seed(
            self.alg,
            self.draw,
            number,
            plan=self.plan,
            frames={name: roots[name]["root"] for name in KEYS},
            reveals=secrets,
            entropy=entropy,
        )
        self.seeds.append(self.seed)
        return secrets

    def result(self, secrets: dict[str, str], number: int = 1) -> None:
        """Draw, note the result and disclose it at once."""
        self.conclude(number)
        self.disclose(secrets, number)

    def conclude(self, number: int = 1) -> None:
        if not self.outcome:
            self.outcome = outcome.draw(self.alg, self.seed, self.plan, self.frames)
        else:
            selection = self.outcome["selection"]
            sent = outcome.send(self.alg, self.seed, self.plan, self.frames, selection)
            self.outcome = {**self.outcome, "assignment": sent}
        body = record.result_body(self.alg, self.draw, number, self.seed, self.outcome)
        self.write("result", **body)

    def disclose(self, secrets: dict[str, str], number: int = 1) -> None:
        """Open licences and secrets; all parties have signed what stood there before."""
        signed = [self.sign(party) for party in self.parties]
        mine = {"draw": self.draw, "attempt": number}
        self.write("disclose", **mine, persons=self.persons(), countersigned=signed)
        for party, secret in secrets.items():
            self.write("opening", **mine, party=party, value=secret)

    def persons(self) -> list[Row]:
        """Licence and salt of everybody sent."""
        teams = self.outcome["assignment"]["teams"]
        sent = sorted({one for team in teams for one in team["team"] if one is not None})
        numbers = [int(one[1:]) for one in sent]
        return [{"id": f"p{i}", "licence": f"LIC-{i}", "salt": a_seed(200 + i)} for i in numbers]

    def record(self) -> Row:
        full = record.build(
            self.alg,
            self.draw,
            self.plan,
            self.frames,
            keys=KEYS,
            log=self.log,
            outcome=self.outcome,
        )
        return record.attach(full, countersigns=[self.sign(self.parties[0])])

    def sealed(self, *idents: str) -> Row:
        """The record of profile SEALED-ROWS with these object rows opened."""
        whole = record.build_sealed(
            self.alg, self.draw, self.plan, log=self.log, totals=self.outcome["totals"]
        )
        rows = self.frames["objects"]
        proofs = [merkle.opening(self.alg, KEYS["objects"], rows, ident) for ident in idents]
        proofs = sorted(({"frame": "objects", **p} for p in proofs), key=lambda p: p["index"])
        signed = [self.sign(self.parties[0])]
        return record.attach(whole, countersigns=signed, openings=proofs)


def key_of(party: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(party.encode()).digest())


def public_key(party: str) -> str:
    return key_of(party).public_key().public_bytes_raw().hex()


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def an_office(alg: str = "sha256", change: Callable[[Office], None] | None = None) -> Office:
    """A finished draw of one attempt by two parties with dice."""
    office = Office(alg)
    if change:
        change(office)
    office.year()
    office.result(office.attempt())
    return office


def rehash(alg: str, log: list[Row]) -> list[Row]:
    """The log with all hashes made anew, as somebody would who rewrites it."""
    fresh: list[Row] = []
    for entry in log:
        made = {**entry, "prev": record.head(fresh)}
        made["hash"] = record.entry_hash(alg, made)
        fresh.append(made)
    return fresh

"""The draw once more, slowly and straight from draw.md, as the judge of the fast engine."""

from collections import deque
from fractions import Fraction
from hashlib import sha256
from math import ceil
from typing import Any

SPACE = 2**256


def ticket(seed: str, tag: str, label: bytes) -> int:
    prefix = tag.encode() + bytes(32 - len(tag)) + bytes.fromhex(seed)
    return int.from_bytes(sha256(prefix + label).digest(), "big")


def uniform(seed: str, tag: str, label: bytes, n: int) -> int:
    counter = 0
    while True:
        x = ticket(seed, tag, label + bytes([0]) + counter.to_bytes(4, "big"))
        if x < SPACE // n * n:
            return x % n
        counter += 1


def _size(plan: dict[str, Any], stratum: dict[str, Any], rows: list[dict[str, Any]]) -> int:
    base = rows if plan.get("base", "frame") == "frame" else [r for r in rows if not r.get("excl")]
    return stratum.get("size", len(base))


def _totals(
    seed: str, plan: dict[str, Any], parts: list[tuple[dict[str, Any], list[dict[str, Any]]]]
) -> list[int]:
    given, caps = [], []
    for stratum, rows in parts:
        eligible = [r for r in rows if not r.get("excl")]
        musts = sum(1 for r in eligible if r.get("must"))
        cap = len(eligible)
        if "max" in stratum:
            cap = max(min(cap, stratum["max"]), musts)
        caps.append(cap)
        given.append(max(min(stratum.get("min", 0), cap), musts))
    while sum(given) < plan["total"] and any(map(int.__lt__, given, caps)):
        best = max(
            (i for i in range(len(parts)) if given[i] < caps[i]),
            key=lambda i: (
                Fraction(_size(plan, *parts[i]), 2 * given[i] + 1),
                -ticket(seed, "ssj1.stratum", parts[i][0]["id"].encode()),
            ),
        )
        given[best] += 1
    return given


def _target(plan: dict[str, Any], stratum: dict[str, Any], rows: list[dict[str, Any]]) -> int:
    eligible = [r for r in rows if not r.get("excl")]
    n = len(rows) if plan.get("base", "frame") == "frame" else len(eligible)
    target = max(ceil(Fraction(stratum["ratio"]) * n), stratum.get("min", 0))
    if "max" in stratum:
        target = min(target, stratum["max"])
    return max(target, sum(1 for r in eligible if r.get("must")))


def select(seed: str, plan: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    strata = sorted(plan["strata"], key=lambda s: s["id"].encode())
    parts = [(s, [r for r in rows if r["stratum"] == s["id"]]) for s in strata]
    totals = _totals(seed, plan, parts) if plan["mode"] == "total" else None
    drawn = []
    for i, (stratum, part) in enumerate(parts):
        target = totals[i] if totals else _target(plan, stratum, part)
        drawn.append(_inside(seed, plan.get("reserve", 0), stratum["id"], part, target))
    return drawn


def _inside(
    seed: str, reserve: int, stratum: str, rows: list[dict[str, Any]], target: int
) -> dict[str, Any]:
    def by_ticket(row: dict[str, Any]) -> tuple[int, str]:
        return ticket(seed, "ssj1.ticket", row["id"].encode()), row["id"]

    eligible = [r for r in rows if not r.get("excl")]
    must = [r for r in eligible if r.get("must")]
    pool = [r for r in eligible if not r.get("must")]
    n = min(target, len(eligible))
    left, certain = n - len(must), []
    while left > 0:
        total = sum(r.get("w", 1) for r in pool)
        sure = [r for r in pool if left * r.get("w", 1) >= total]
        if not sure:
            break
        certain += sure
        pool = [r for r in pool if r not in sure]
        left -= len(sure)
    total = sum(r.get("w", 1) for r in pool)

    def key(row: dict[str, Any]) -> tuple[int, int, str]:
        t, ident = by_ticket(row)
        w = row.get("w", 1)
        if left > 0:
            return t * (total - left * w) * 2**128 // ((SPACE - t) * w), t, ident
        return t * 2**128 // w, t, ident

    order = [r["id"] for r in sorted(pool, key=key)]
    return {
        "stratum": stratum,
        "frame": len(rows),
        "eligible": len(eligible),
        "target": target,
        "n": n,
        "shortfall": target - n,
        "must": [r["id"] for r in sorted(must, key=by_ticket)],
        "certain": [r["id"] for r in sorted(certain, key=by_ticket)],
        "random": order[:left],
        "reserve": order[left : left + reserve],
    }


def roles(visit: dict[str, Any]) -> list[str]:
    named = ["lead"] + ["skill:" + s for s in sorted(set(visit.get("skills", [])))]
    return named + ["any"] * (visit.get("size", 2) - len(named))


def fits(one: dict[str, Any], visit: dict[str, Any], role: str, blocked: set[Any]) -> bool:
    if (one["id"], visit["id"]) in blocked:
        return False
    if visit.get("area") is not None and visit["area"] not in one["areas"]:
        return False
    if role == "lead":
        return bool(one["lead"])
    return role == "any" or role[len("skill:") :] in one["skills"]


class Sending:
    """Phases A, B and C without pruning or buckets; places are (visit order, j)."""

    def __init__(self, seed: str, case: dict[str, Any]) -> None:
        self.seed = seed

        def order(tag: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return sorted(rows, key=lambda r: (ticket(seed, tag, r["id"].encode()), r["id"]))

        self.visits = order("ssj1.vorder", case["visits"])
        self.staff = order("ssj1.iorder", case["inspectors"])
        self.blocked = {tuple(pair) for pair in case["blocked"]}
        self.roles = [roles(v) for v in self.visits]
        self.load = {p["id"]: p.get("load", 0) for p in self.staff}
        self.at: dict[tuple[int, int], str] = {}
        self.dead: set[tuple[int, int]] = set()
        self.spent: set[str] = set()

    def able(self, v: int, j: int) -> list[dict[str, Any]]:
        visit, role = self.visits[v], self.roles[v][j]
        return [p for p in self.staff if fits(p, visit, role, self.blocked)]

    def team(self, v: int) -> dict[str, int]:
        return {p: j for (w, j), p in self.at.items() if w == v}

    def label(self, v: int, j: int) -> bytes:
        return self.visits[v]["id"].encode() + bytes([0]) + str(j).encode()

    def free(self, v: int, j: int, ceiling: int | None = None) -> list[str]:
        team = self.team(v)
        free = [
            p["id"]
            for p in self.able(v, j)
            if p["id"] not in team
            and self.load[p["id"]] < p["cap"]
            and (ceiling is None or self.load[p["id"]] <= ceiling)
        ]
        low = min((self.load[p] for p in free), default=0)
        return [p for p in free if self.load[p] == low]

    def bfs(self, roots: list[tuple[int, int]], seen: set[str], ceiling: int | None) -> Any:
        parent: dict[tuple[int, int], Any] = dict.fromkeys(roots)
        queue = deque(roots)
        while queue:
            v, j = queue.popleft()
            free = self.free(v, j, ceiling)
            if free:
                return (v, j), free, parent
            team = self.team(v)
            for one in self.able(v, j):
                p = one["id"]
                reached = []
                if p in team:
                    reached = [(v, team[p])]
                elif p not in seen:
                    seen.add(p)
                    reached = sorted(place for place, who in self.at.items() if who == p)
                for place in reached:
                    if place not in parent:
                        parent[place] = (v, j)
                        queue.append(place)
        return None, [], parent

    def shift(self, place: Any, p: str, parent: dict[Any, Any]) -> None:
        while place is not None and p is not None:
            former = self.at.get(place)
            self.at[place] = p
            p, place = former, parent[place]

    def phase_a(self) -> list[tuple[int, int]]:
        unfilled = []
        for j in range(max(map(len, self.roles), default=0)):
            for v in range(len(self.visits)):
                if j >= len(self.roles[v]):
                    continue
                free = self.free(v, j)
                if not free:
                    unfilled.append((v, j))
                    continue
                p = free[uniform(self.seed, "ssj1.pick", self.label(v, j), len(free))]
                self.at[v, j] = p
                self.load[p] += 1
        return unfilled

    def phase_b(self, unfilled: list[tuple[int, int]]) -> list[tuple[int, int]]:
        failed = []
        for root in unfilled:
            seen: set[str] = set()
            place, free, parent = self.bfs([root], seen, None)
            if place is None:
                failed.append(root)
                self.dead |= set(parent)
                self.spent |= seen
                continue
            label = self.label(*root) + bytes([0]) + self.label(*place)
            p = free[uniform(self.seed, "ssj1.aug", label, len(free))]
            self.load[p] += 1
            self.shift(place, p, parent)
        return failed

    def phase_c(self) -> int:
        moves, settled = 0, set()
        while True:
            left = [p["id"] for p in self.staff if p["id"] not in settled]
            if not left:
                return moves
            first = max(left, key=lambda p: self.load[p])
            high = self.load[first]
            if min(self.load.values()) > high - 2:
                return moves
            seen = {first}
            roots = sorted(place for place, who in self.at.items() if who == first)
            place, free, parent = self.bfs(roots, seen, high - 2)
            if place is None:
                settled |= seen
                continue
            label = str(moves).encode() + bytes([0]) + self.label(*place)
            p = free[uniform(self.seed, "ssj1.bal", label, len(free))]
            self.load[p] += 1
            self.load[first] -= 1
            self.shift(place, p, parent)
            moves += 1

    def certificate(self) -> dict[str, Any]:
        supply = sum(
            max(0, p["cap"] - p.get("load", 0)) for p in self.staff if p["id"] in self.spent
        )
        beside = {
            (v, p["id"])
            for v, j in self.dead
            for p in self.able(v, j)
            if p["id"] not in self.spent
        }
        return {
            "slots": sorted([self.visits[v]["id"], j] for v, j in self.dead),
            "inspectors": sorted(self.spent),
            "need": len(self.dead),
            "supply": supply + len(beside),
        }


def assign(seed: str, case: dict[str, Any]) -> dict[str, Any]:
    sending = Sending(seed, case)
    unfilled = sending.phase_b(sending.phase_a())
    proof = sending.certificate() if unfilled else None
    moves = sending.phase_c()
    return {
        "status": "infeasible" if unfilled else "complete",
        "teams": [
            {"visit": visit["id"], "team": [sending.at.get((v, j)) for j in range(len(places))]}
            for v, (visit, places) in enumerate(zip(sending.visits, sending.roles, strict=True))
        ],
        "open": sorted([sending.visits[v]["id"], j] for v, j in unfilled),
        "certificate": proof,
        "moves": moves,
        "loads": sending.load,
    }

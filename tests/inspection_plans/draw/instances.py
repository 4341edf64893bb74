"""Cases of the reference interface from one integer each: hard ones, odd ones and wrong ones."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.inspection_plans.draw.cases import a_seed

Case = dict[str, Any]

# The last two differ in order by UTF-16 units and by bytes; the last is outside the first plane.
LETTERS = ("机构", "a", "Z", "é", "μ", "ﬀ", "𠮷")
BAD_IDS: tuple[object, ...] = (
    "",
    "机" * 43,
    "a\x1f",
    "a\x7f",
    "\ud800",
    "a\x00\udfff",
    "\udfff\x00",
    "e\u0301",
    7,
    None,
    True,
    ["a"],
)
RATIOS = ("0", "1", "1/3", "0.25", "7/10", "0.05", "999999999/999999999", "1.000000000", "000.5")
BAD_RATIOS = ("1.5", "4/3", "1/0", "５%", "0.5 ", " 1", "1e-1", ".5", "1.", "1/1000000000", "", 1)
ABOVE_HALF = 2**255 + 1


def one_of_ids(rng: random.Random, count: int) -> list[str]:
    """Distinct ids in no order, some beyond ASCII."""
    odd = rng.random() < 0.4
    heads = LETTERS if odd else ("v",)
    ids = [f"{rng.choice(heads)}{number:02d}" for number in range(count)]
    rng.shuffle(ids)
    return ids


def a_plan(rng: random.Random) -> Case:
    names = rng.sample(["A", "甲", "S1", "b", "ﬀ", "𠮷", "z9"], rng.randint(1, 4))
    strata = []
    for name in names:
        stratum: Case = {"id": name, "ratio": rng.choice(RATIOS)}
        for limit in ("min", "max", "size"):
            if rng.random() < 0.25:
                stratum[limit] = rng.randint(0, 12)
        strata.append(stratum)
    plan: Case = {"mode": "ratio", "strata": strata}
    if rng.random() < 0.7:
        plan["reserve"] = rng.randint(0, 4)
    if rng.random() < 0.5:
        plan["base"] = rng.choice(["frame", "eligible"])
    if rng.random() < 0.45:
        plan |= {"mode": "total", "total": rng.randint(0, 40)}
        for stratum in rng.sample(strata, rng.randint(0, len(strata))):
            del stratum["ratio"]
    return plan


def some_rows(rng: random.Random, strata: list[Case], count: int) -> list[Case]:
    weights = rng.choice([None, (1, 2, 3), (1, 5, 40, 900), (1, 2**31, 2**32)])
    telling = rng.choice([0.0, 0.12, 0.3])
    rows = []
    for ident in one_of_ids(rng, count):
        row: Case = {"id": ident, "stratum": rng.choice(strata)["id"]}
        if weights and rng.random() < 0.8:
            row["w"] = rng.choice(weights)
        if rng.random() < telling:
            row |= rng.choice([{"must": True}, {"excl": "COOLDOWN"}, {"must": False, "excl": ""}])
        rows.append(row)
    return rows


def spoil_rows(rng: random.Random, case: Case) -> None:
    """Break one or two rules of selection."""
    rows, strata = case["rows"], case["plan"]["strata"]
    row = rng.choice(rows)
    breaks: list[Callable[[], object]] = [
        lambda: row.update(id=rng.choice(BAD_IDS)),
        lambda: row.update(id=rng.choice(rows)["id"]),
        lambda: row.update(stratum=rng.choice(["nowhere", None, 3])),
        lambda: row.update(w=rng.choice([0, -1, 2**32 + 1, 2**60, 1.0, "1", True, None])),
        lambda: row.update(must=True, excl="CLOSED"),
        lambda: strata.append(dict(rng.choice(strata))),
        lambda: rng.choice(strata).update(ratio=rng.choice(BAD_RATIOS)),
        lambda: rng.choice(strata).pop("ratio", None),
        lambda: case["plan"].update(mode=rng.choice(["most", None])),
        lambda: case["plan"].update(base="all"),
        lambda: case["plan"].pop("total", None),
    ]
    for _ in range(rng.randint(1, 2)):
        rng.choice(breaks)()


def a_selection(rng: random.Random) -> Case:
    plan = a_plan(rng)
    most = rng.choice([3, 12, 30, 60])
    case = {"op": "select", "plan": plan, "rows": some_rows(rng, plan["strata"], most)}
    if rng.random() < 0.12:
        spoil_rows(rng, case)
    return case


def some_visits(rng: random.Random, count: int, share: float) -> list[Case]:
    visits = []
    for ident in one_of_ids(rng, count):
        visit: Case = {"id": ident}
        if rng.random() < 0.4:
            visit["size"] = rng.choice([2, 3, 3, 5])
        if rng.random() < share:
            visit["area"] = rng.choice(["A", "B", "C", ""])
        if rng.random() < share / 4:
            visit["skills"] = [rng.choice(["exam", "会计", "𠮷", "ﬀ"]) for _ in range(2)]
        visits.append(visit)
    return visits


def an_inspector(rng: random.Random, ident: str, *, cap: int, uneven: bool) -> Case:
    """`uneven`: one area or all of them, else each as it comes."""
    areas, skills = ("A", "B", "C", ""), ("exam", "会计", "𠮷", "ﬀ")
    if uneven:
        reach = list(areas) if rng.random() < 0.5 else [rng.choice(areas)]
    else:
        reach = [area for area in areas if rng.random() < 0.6]
    return {
        "id": ident,
        "lead": rng.random() < (0.8 if uneven else 0.6),
        "skills": [skill for skill in skills if rng.random() < 0.5],
        "areas": reach,
        "cap": rng.randint(max(0, cap - 4), cap),
    }


def spoil_crew(rng: random.Random, case: Case) -> None:
    """Break one or two rules of assignment."""
    visits, people, pairs = case["visits"], case["inspectors"], case["blocked"]
    visit, person = rng.choice(visits), rng.choice(people)
    breaks: list[Callable[[], object]] = [
        lambda: visits.append(dict(visit)),
        lambda: visit.update(id=rng.choice(BAD_IDS[:-1])),
        lambda: people.append(dict(person)),
        lambda: person.update(id=rng.choice(BAD_IDS[:-1])),
        lambda: pairs.append([person["id"], "nowhere"]),
        lambda: pairs.append(["nobody", visit["id"]]),
        lambda: visit.update(size=rng.choice([1, 0, -2, 2.0, "2", True, None])),
    ]
    for _ in range(rng.randint(1, 2)):
        rng.choice(breaks)()


def an_assignment(rng: random.Random) -> Case:
    """Half are short of people; half have uneven areas and loads, so balancing has work."""
    uneven = rng.random() < 0.58
    count = rng.choice([12, 20, 30]) if uneven else rng.choice([2, 5, 9, 16])
    people = max(2, round(count * (0.5 if uneven else rng.choice([0.4, 0.8, 1.3]))))
    cap = 3 * count if uneven else max(1, 3 * count // people)
    visits = some_visits(rng, count, 0.7 if uneven else rng.choice([0.0, 0.5, 0.9]))
    ids = [f"p{ident}" for ident in one_of_ids(rng, people)]
    inspectors = [an_inspector(rng, ident, cap=cap, uneven=uneven) for ident in ids]
    for one in inspectors:
        if rng.random() < 0.3:
            one["load"] = rng.choice([0, 1, 2, 4, one["cap"] + 1])
    share = rng.choice([0.0, 0.03, 0.15])
    pairs = [[p["id"], v["id"]] for p in inspectors for v in visits if rng.random() < share]
    rng.shuffle(pairs)
    case = {"op": "assign", "visits": visits, "inspectors": inspectors, "blocked": pairs}
    if rng.random() < 0.05:
        spoil_crew(rng, case)
    return case


def some_days(rng: random.Random) -> Case:
    visits = []
    for ident in one_of_ids(rng, rng.randint(1, 8)):
        days = sorted(
            {f"2028-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" for _ in range(9)}
        )
        visits.append({"id": ident, "days": days[: rng.randint(1, 9)]})
    wrong: tuple[object, ...] = (
        [],
        None,
        ["2027-02-29"],
        ["2028-02-29"],
        ["2028-1-01"],
        ["2028-02-02", "2028-02-01"],
        ["2028-02-02", "2028-02-02"],
        ["0000-01-01"],
        ["２028-01-01"],
        [20280101],
    )
    if rng.random() < 0.3:
        rng.choice(visits)["days"] = rng.choice(wrong)
    return {"op": "days", "visits": visits}


def a_number(rng: random.Random) -> Case:
    # Beyond half of the space every second number is refused: "mod n" alone is wrong there.
    most = [ABOVE_HALF] * 6 + [3 * 2**254, 2**256, rng.getrandbits(255)]
    n = rng.choice([1, 6, 1000, 2**64 - 59, *most])
    n = rng.choice([n, n, n, 0, -1, 2**256 + 1]) if rng.random() < 0.3 else n
    case: Case = {
        "op": "uniform",
        "tag": rng.choice(["ssj1.pick", "ssj1.aug", "ssj1.day", "ssj1.sub"]),
        "label_utf8": f"{rng.choice(LETTERS)}\0{rng.randint(0, 9)}",
    }
    if rng.random() < 0.5:
        return case | {"n_str": str(n)}
    return case | {"n": rng.choice([n, n, n, n, 2.0, True, "6", None])}


def a_root(rng: random.Random) -> Case:
    rows = some_rows(rng, [{"id": "S"}], rng.randint(0, 20))
    if rows and rng.random() < 0.3:
        rows.append({**rng.choice(rows), "w": 77})
    if rows and rng.random() < 0.1:
        rng.choice(rows).update(
            rng.choice([{"w": 0.5}, {"W": 1}, {"w": 2**53}, {"note": "e\u0301"}, {"note": "\x07"}])
        )
    return {"op": "merkle", "salt_key": a_seed(rng.randint(0, 99)), "rows": rows}


def a_commitment(rng: random.Random) -> Case:
    party = rng.choice(["operator", "纪检", "e\u0301", "a\x1f"])
    secret = rng.choice([a_seed(rng.randint(0, 99))] * 5 + ["00", "zz" * 32, "AB" * 32])
    return {
        "op": "commitment",
        "draw": "2027-Q1-01",
        "attempt": rng.choice([1, 2, 2**53]),
        "party": party,
        "secret": secret,
    }


def a_seed_case(rng: random.Random) -> Case:
    parties = rng.sample(["operator", "监督", "𠮷", "ﬀ", "z"], rng.randint(1, 4))
    entropy = [
        {"source": rng.choice(["dice", "drand"]), "ref": ref, "value": str(rng.getrandbits(64))}
        for ref in rng.sample(["1", "𠮷", "ﬀ", "a"], rng.randint(0, 3))
    ]
    if entropy and rng.random() < 0.15:
        rng.choice(entropy).update(rng.choice([{"more": 1}, {"value": 3}]))
    case: Case = {
        "op": "seed",
        "draw": "2027-Q1-01",
        "attempt": rng.randint(1, 3),
        "plan": a_plan(rng),
        "frame_objects": a_seed(1),
        "frame_inspectors": a_seed(2),
        "reveals": {party: a_seed(rng.randint(0, 99)) for party in parties},
    }
    if rng.random() < 0.1:
        case["plan"]["note"] = rng.choice([0.5, "e\u0301", {"A": 1}])
    return case if not entropy and rng.random() < 0.5 else case | {"entropy": entropy}


def of_nothing_known(rng: random.Random) -> Case:
    good = rng.choice([a_number, a_root])(random.Random(3))
    return good | rng.choice([{"op": "toss"}, {"alg": "md5"}, {"alg": ""}, {"alg": None}])


TEXTS = (
    '{"b":1,"a":[{"z":"\\u673a"},-0,9007199254740991]}',
    '{"10":1,"9":2,"a":{"2":"\\ud842\\udfb7","1":"\\ufb00"}}',
    '{"9":"\\u0001","10":0.5}',
    '{"10":0.5,"9":"\\u0001"}',
    '{"a":1,"a":0.5}',
    '{"a":0.5,"a":1}',
    '{"a":{"b":1,"b":2},"A":1}',
    '{"a":1e2}',
    "[1.0]",
    "9007199254740992",
    "-9007199254740992",
    '"\\ud800x"',
    '"\\udfff\\ud800"',
    '"\\u007f\\ud800"',
    '"\\ud800\\u007f"',
    '"e\\u0301\\u0000"',
    '"\\/\\"\\\\"',
    '"\t"',
    '{"a":1,}',
    "[1 2]",
    "[01]",
    "NaN",
    '{"A":NaN}',
    "",
    "nul",
    '{"":1}',
    "{'a':1}",
    '[{"__proto__":1,"constructor":[]}]',
    "[" * 40 + "]" * 40,
    "1" * 5000,
)


def a_text(rng: random.Random) -> Case:
    text = rng.choice(TEXTS)
    if rng.random() < 0.4:
        text = json.dumps(
            [a_plan(rng), json.loads(rng.choice(TEXTS[:2]))], indent=rng.choice([0, 1])
        )
    return {"op": "canon", "input_json_ascii": text}


KINDS: tuple[tuple[Callable[[random.Random], Case], int], ...] = (
    (an_assignment, 60),
    (a_selection, 22),
    (a_root, 3),
    (a_seed_case, 3),
    (a_commitment, 2),
    (a_number, 4),
    (some_days, 3),
    (a_text, 3),
    (of_nothing_known, 1),
)


def instance(number: int) -> Case:
    """The case of an integer, the same for ever."""
    rng = random.Random(number)
    make = rng.choices([one for one, _ in KINDS], [weight for _, weight in KINDS])[0]
    case = make(rng)
    alg = rng.choice(["sha256", "sha256", "sm3"])
    if case["op"] != "canon" or rng.random() < 0.5:
        case.setdefault("alg", alg)
    if case["op"] in {"select", "assign", "uniform", "days"}:
        case["seed"] = a_seed(number)
    return case

"""Whole draws with a history: withdrawals, void attempts, missing people, other profiles."""

from typing import Any

from inspection_plans.draw import record, replace, sealing
from inspection_plans.draw.events import Crew
from tests.inspection_plans.draw.cases import Office, Row, a_seed, an_office

LINKS = 4


def withdraw(office: Office, away: str, reason: str = "moved") -> None:
    """Note that an object will not be visited, with paper and second person."""
    mine = {"draw": office.draw, "object": away, "reason": reason}
    office.write("withdraw", **mine, evidence=a_seed(9), by="A", second="B")


def with_reserve(office: Office) -> Row:
    """A stratum that has somebody drawn and somebody in reserve."""
    parts: list[Row] = office.outcome["selection"]
    return next(part for part in parts if part["random"] and part["reserve"])


def substitute(office: Office, visit: str, place: int, event: int) -> None:
    """Fill a place anew as the seed says."""
    crew = Crew(office.record())
    for entry in office.log:
        crew.follow(entry)
    after = replace.substitute(
        office.alg, office.seed, crew.now(), visit=visit, place=place, event=event
    )
    body = {name: after[name] for name in ("visit", "place", "released", "inspector")}
    office.write("substitute", draw=office.draw, event=event, **body)


def eventful() -> Office:
    """A draw with a withdrawal, its reserve, and substitutes for both."""
    office = an_office()
    selection, part = office.outcome["selection"], with_reserve(office)
    away = part["random"][0]
    withdraw(office, away)
    instead = replace.next_reserve(selection, part["stratum"])
    office.write(
        "replace", draw=office.draw, stratum=part["stratum"], object=instead, withdrawn=away
    )
    other = next(v for v in office.outcome["days"] if v != away)
    for event, (visit, place) in enumerate([(instead, 0), (instead, 1), (other, 1)]):
        substitute(office, str(visit), place, event)
    return office


def events_sealed() -> Office:
    """The same events before the disclosure: sealed as they happen, opened afterwards."""
    open_office = eventful()
    kinds = ("withdraw", "replace", "substitute")
    bodies = [(e["type"], e["body"]) for e in open_office.log if e["type"] in kinds]
    office = Office()
    office.year()
    secrets = office.attempt()
    office.conclude()
    for number, (kind, body) in enumerate(bodies):
        known = sealing.seal(office.alg, kind, body, a_seed(300 + number))
        office.write("sealed", draw=office.draw, number=number, kind=kind, digest=known)
    office.disclose(secrets)
    for number, (kind, body) in enumerate(bodies):
        office.write(kind, **body, opens=number, salt=a_seed(300 + number))
    return office


def second_attempt() -> Office:
    """The supervisor reveals nothing: void, then a second attempt without the supervisor."""
    office = Office()
    office.year()
    mine = {"draw": office.draw, "attempt": 1}
    office.attempt()
    office.log = [
        entry
        for entry in office.log
        if not (entry["type"] == "reveal" and entry["body"]["party"] == "supervisor")
    ]
    office.write("void", **mine, party="supervisor", reason="no secret by the deadline")
    office.result(office.attempt(2, ("association", "operator")), 2)
    return office


def short_of_people(*, again: bool = True) -> Office:
    """The first sending fails; people are added and only the sending is tried anew."""
    office = Office()
    people = office.frames["inspectors"]
    blocked = office.frames["blocked"]
    office.frames["inspectors"] = people[:2]
    office.frames["blocked"] = [["p0", "91370001/T"]]
    office.year()
    office.result(office.attempt())
    assert office.outcome["assignment"]["status"] == "infeasible"
    if again:
        office.frames["inspectors"], office.frames["blocked"] = people, blocked
        office.write("supplement", draw=office.draw, inspectors=people[2:], blocked=blocked[1:])
        office.result(office.attempt(2, stage="assignment"), 2)
    return office


def with_a_chain() -> Office:
    """Replacements in the strong profile: each order needs the supervisor's next key."""
    links = [a_seed(77)]
    office = Office()
    for _ in range(LINKS):
        links.append(replace.next_link(office.alg, links[-1]))
    office.year()
    office.result(office.attempt(replacement_tip=links[-1]))
    part = with_reserve(office)
    used: list[str] = []
    for away, link in zip(part["random"], links[-2::-1], strict=False):
        withdraw(office, away)
        order = replace.replacement_seed(office.alg, office.seed, link)
        instead = replace.next_hidden_reserve(
            office.alg, order, office.outcome["selection"], part["stratum"], used
        )
        if instead is None:
            break
        used.append(instead)
        mine = {"draw": office.draw, "stratum": part["stratum"]}
        office.write("replace", **mine, object=instead, withdrawn=away, link=link)
    assert used
    return office


def supplemented() -> Office:
    """Somebody nobody knew at the freeze is added, and drawn as a substitute."""
    office = eventful()
    row = {**office.frames["inspectors"][0], "id": "p9", "cap": 9, "load": 0}
    pairs = [["p9", next(iter(office.outcome["days"]))]]
    office.write("supplement", draw=office.draw, inspectors=[row], blocked=pairs)
    visit = list(office.outcome["days"])[-1]
    substitute(office, visit, 0, 3)
    return office


def external(**changes: Any) -> Row:
    """The record of a draw made on another platform."""
    office = Office()
    office.year()
    mine = {"draw": office.draw, "attempt": 1}
    visits = [{"object": "91370001/T", "on": "2027-01-12", "team": ["p1", "p2"]}]
    origin = {"platform": "省级平台", "reference": "SD-2027-8", "drawn_on": "2027-01-04"}
    office.write("attempt_open", **mine, stage="external")
    office.write("plan", **mine, digest=record.digest(office.alg, office.plan))
    body = record.external_body(office.alg, office.draw, 1, {**origin, **changes}, visits)
    office.write("result", **body)
    return record.attach(
        record.build_external(office.alg, office.draw, office.plan, log=office.log, visits=visits)
    )

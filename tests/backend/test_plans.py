"""Plans: what is refused, who may approve, what is kept of every change."""

from datetime import date
from fractions import Fraction

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar import Litestar

from backend.services import planchecks, plans, revisions
from backend.services.errors import Absent, Changed, ServiceRefusal
from backend.services.planchecks import level_of
from backend.services.records.plans import Entropy, Stratum, VisitRule
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.errors import RuleRefusal
from tests import drawing, world
from tests.conftest import START, StillClock

Refusals = (ServiceRefusal, RuleRefusal, DrawRefusal)
DRAND = Entropy(source="drand", ref="quicknet")


async def held(owner: asyncpg.Connection) -> list[tuple[object, ...]]:
    """Everything that a refused deed must leave as it was."""
    rows = await owner.fetch("select id, state, rev, updated_at::text, spec::text from plan")
    entries = await owner.fetchval("select count(*) from aud.entry")
    logged = await owner.fetchval("select count(*) from draw_log")
    return [*(tuple(row) for row in rows), (entries, logged)]


async def test_a_plan_is_submitted_and_approved_by_another_person(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    plan = await drawing.an_approved_plan(office)
    assert (plan.state, plan.submitted_by) == ("approved", office.supervisor.person.id)
    assert plan.approved_by == office.approver.person.id
    assert await plans.plan(plan.id, act=office.act) == plan
    verbs = await owner.fetch(
        "select body ->> 'verb' as verb from aud.entry where body -> 'object' ->> 'id' = $1"
        " order by id",
        str(plan.id),
    )
    assert [row["verb"] for row in verbs] == ["plan.created", "plan.submitted", "plan.approved"]


async def test_an_approved_plan_stands_in_the_log_of_its_year(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.an_approved_plan(office)
    await drawing.an_approved_plan(office, code="2026-Q1-02")
    rows = await owner.fetch("select seq, prev, hash, type, body from draw_log order by seq")
    assert [(row["seq"], row["type"]) for row in rows] == [(0, "plan_year"), (1, "plan_year")]
    assert rows[1]["prev"] == rows[0]["hash"]
    assert msgspec.json.decode(rows[0]["body"])["draws"] == [
        {"draw": "370000-2026-Q1-01", "due": "2026-04-30", "number": 1}
    ]


async def test_nobody_approves_a_plan_they_wrote_or_submitted(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    plan = await plans.create(drawing.a_draft(clock()), act=office.act)
    await plans.submit(plan.id, act=office.second)
    before = await held(owner)
    for author in (office.act, office.second):
        with pytest.raises(RuleRefusal) as refused:
            await plans.approve(plan.id, act=author)
        assert refused.value.code == "plan.same_person"
    assert await held(owner) == before


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("plan.window_wrong", {"window_until": date(2026, 3, 1)}),
        ("plan.window_wrong", {"window_until": date(2027, 4, 1)}),
        ("plan.window_wrong", {"year": 2028}),
        ("plan.window_wrong", {"fire_at": START.replace(month=6)}),
        ("E_RATIO", {"spec": drawing.a_spec(strata=(Stratum(name="甲", ratio="５%"),))}),
        ("E_RATIO", {"spec": drawing.a_spec(strata=(Stratum(name="甲", ratio="1.1"),))}),
        ("E_RATIO", {"spec": drawing.a_spec(strata=(Stratum(name="甲"),))}),
        ("E_MODE", {"spec": drawing.a_spec(mode="total")}),
        (
            "E_NFC",
            {"spec": drawing.a_spec(entropy=(Entropy(source="dice", ref="Cafe\u0301"),))},
        ),
        ("E_CONTROL", {"spec": drawing.a_spec(skills=("a\tb",))}),
        (
            "E_DUP_STRATUM",
            {"spec": drawing.a_spec(strata=(Stratum(name="甲", ratio="1"),) * 2)},
        ),
        ("plan.visit_rule_wrong", {"spec": drawing.a_spec(kinds=("training", "evaluation"))}),
        (
            "plan.visit_rule_wrong",
            {
                "spec": drawing.a_spec(
                    visits=(VisitRule(object="training", kind="exam_patrol", sheet="EX"),)
                )
            },
        ),
        (
            "sheet.unknown",
            {
                "spec": drawing.a_spec(
                    visits=(VisitRule(object="training", kind="training_site", sheet="ZZ"),)
                )
            },
        ),
        ("policy.out_of_bounds", {"spec": drawing.a_spec(tasks_open_at_hour=23)}),
        ("plan.level_d", {"spec": drawing.a_spec(entropy=())}),
        ("plan.level_d", {"spec": drawing.a_spec(entropy=(), level_d_accepted=True)}),
        ("plan.parties_wrong", {"spec": drawing.a_spec(parties=("supervision",))}),
        ("plan.parties_wrong", {"spec": drawing.a_spec(entropy=(drawing.DICE,) * 2)}),
        ("plan.party_unknown", {"spec": drawing.a_spec(parties=("operator", "nobody"))}),
    ],
)
async def test_what_could_not_be_drawn_is_refused_and_nothing_is_stored(
    app: Litestar,
    clock: StillClock,
    owner: asyncpg.Connection,
    code: str,
    changes: dict[str, object],
) -> None:
    office = await drawing.an_office(app, clock())
    before = await held(owner)
    with pytest.raises(Refusals) as refused:
        await plans.create(drawing.a_draft(clock(), **changes), act=office.act)
    assert refused.value.code == code
    assert await held(owner) == before


async def test_a_caller_without_a_route_is_held_to_the_same_bounds(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    before = await held(owner)
    with pytest.raises(msgspec.ValidationError):
        await plans.create(drawing.a_draft(clock(), code="含有中文"), act=office.act)
    assert await held(owner) == before


@pytest.mark.usefixtures("app")
async def test_who_belongs_to_no_office_plans_nothing(
    clock: StillClock, owner: asyncpg.Connection
) -> None:
    nobody = await world.a_person(clock(), "supervisor")
    with pytest.raises(plans.NoOffice):
        await plans.create(drawing.a_draft(clock()), act=nobody.act(clock()))
    assert await owner.fetchval("select count(*) from plan") == 0


async def test_one_party_alone_needs_a_reason_that_is_kept(
    app: Litestar, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    spec = drawing.a_spec(entropy=(), level_d_accepted=True, level_d_reason="系统培训数据")
    plan = await drawing.an_approved_plan(office, spec=spec)
    assert plan.spec.level_d_reason == "系统培训数据"


async def test_an_edit_is_refused_when_somebody_was_faster(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    plan = await plans.create(drawing.a_draft(clock()), act=office.act)
    draft = drawing.a_draft(clock(), title="修改后的标题")
    edited = await plans.edit(plan.id, draft, rev=1, act=office.act)
    assert (edited.rev, edited.title) == (2, "修改后的标题")
    before = await held(owner)
    with pytest.raises(Changed):
        await plans.edit(plan.id, drawing.a_draft(clock()), rev=1, act=office.second)
    assert await held(owner) == before


async def test_a_submitted_plan_is_edited_only_after_rejection_and_revision(
    app: Litestar, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    plan = await plans.create(drawing.a_draft(clock()), act=office.act)
    await plans.submit(plan.id, act=office.act)
    with pytest.raises(plans.NotADraft):
        await plans.edit(plan.id, drawing.a_draft(clock()), rev=1, act=office.act)
    with pytest.raises(plans.ReasonMissing):
        await plans.reject(plan.id, " ", act=office.second)
    rejected = await plans.reject(plan.id, "窗口太短", act=office.second)
    assert (rejected.state, rejected.reason) == ("rejected", "窗口太短")
    revised = await plans.revise(plan.id, act=office.act)
    assert (revised.state, revised.reason, revised.submitted_by) == ("draft", "窗口太短", None)
    await plans.edit(plan.id, drawing.a_draft(clock()), rev=1, act=office.act)


async def test_two_revisions_are_compared_leaf_by_leaf(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    plan = await plans.create(drawing.a_draft(clock()), act=office.act)
    spec = drawing.a_spec(strata=(Stratum(name="全部", ratio="1/3"),), reserve=5)
    draft = drawing.a_draft(clock(), title="另一标题", spec=spec)
    await plans.edit(plan.id, draft, rev=1, act=office.act)
    changes = await revisions.changes(plan.id, 1, 2, act=office.act)
    assert [(change.path, change.before, change.after) for change in changes] == [
        ("spec.reserve", 2, 5),
        ("spec.strata.0.ratio", "1/2", "1/3"),
        ("title", "一季度培训机构抽查", "另一标题"),
    ]
    with pytest.raises(Absent):
        await revisions.changes(plan.id, 1, 3, act=office.act)


async def test_a_code_is_used_once_in_an_office(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    await plans.create(drawing.a_draft(clock()), act=office.act)
    other = await plans.create(drawing.a_draft(clock(), code="B"), act=office.act)
    with pytest.raises(plans.CodeTaken):
        await plans.create(drawing.a_draft(clock()), act=office.act)
    with pytest.raises(plans.CodeTaken):
        await plans.edit(other.id, drawing.a_draft(clock()), rev=1, act=office.act)


async def test_another_province_sees_no_plan_of_ours(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    plan = await plans.create(drawing.a_draft(clock()), act=office.act)
    foreign = await drawing.an_office(app, clock(), world.SHANXI)
    assert await plans.plans(act=foreign.act) == ()
    for deed in (plans.plan, plans.submit, plans.approve):
        with pytest.raises(Absent):
            await deed(plan.id, act=foreign.act)


async def test_lists_are_paged_by_key(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    made = [
        (await plans.create(drawing.a_draft(clock(), code=f"P{n}"), act=office.act)).id
        for n in range(5)
    ]
    first = await plans.plans(act=office.act, limit=2)
    rest = await plans.plans(act=office.act, after=first[-1].id)
    assert [plan.id for plan in (*first, *rest)] == sorted(made, reverse=True)
    assert await plans.plans(act=office.act, state="approved") == ()
    assert await plans.plans(act=office.act, year=2025) == ()


async def test_a_plan_is_cancelled_with_a_reason_and_stays_announced(
    app: Litestar, clock: StillClock, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    plan = await drawing.an_approved_plan(office)
    cancelled = await plans.cancel(plan.id, "任务调整", act=office.second)
    assert (cancelled.state, cancelled.reason) == ("cancelled", "任务调整")
    assert await owner.fetchval("select count(*) from draw_log where type = 'plan_year'") == 1


async def test_one_year_has_one_digest(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.an_approved_plan(office)
    with pytest.raises(ServiceRefusal) as refused:
        await drawing.an_approved_plan(office, code="B", spec=drawing.a_spec(alg="sm3"))
    assert refused.value.code == "plan.digest_mixed"


async def test_a_ratio_in_full_width_is_answered_with_its_code_over_http(
    app: Litestar, clock: StillClock, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    office = await drawing.an_office(app, clock())
    headers = await world.signed_in(client, office.supervisor)
    body = msgspec.json.decode(msgspec.json.encode(drawing.a_draft(clock())))
    made = await client.post("/api/v1/plans", json=body, headers=headers)
    assert made.status_code == 201, made.text
    body["code"] = "full-width"
    body["spec"]["strata"][0]["ratio"] = "５%"
    refused = await client.post("/api/v1/plans", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "E_RATIO")
    body["spec"]["strata"][0] |= {"ratio": "1/20", "surprise": 1}
    refused = await client.post("/api/v1/plans", json=body, headers=headers)
    assert refused.status_code in (400, 422)
    assert await owner.fetchval("select count(*) from plan") == 1


async def test_the_whole_life_of_a_plan_over_http(
    app: Litestar, clock: StillClock, client: httpx.AsyncClient
) -> None:
    office = await drawing.an_office(app, clock())
    mine = await world.signed_in(client, office.supervisor)
    second = await world.signed_in(client, office.approver)
    body = msgspec.json.decode(msgspec.json.encode(drawing.a_draft(clock())))
    plan = (await client.post("/api/v1/plans", json=body, headers=mine)).json()
    at = f"/api/v1/plans/{plan['id']}"
    edited = await client.put(at, json={**body, "title": "新标题", "rev": 1}, headers=mine)
    assert edited.json()["rev"] == 2
    stale = await client.put(at, json={**body, "rev": 1}, headers=mine)
    assert (stale.status_code, stale.json()["code"]) == (409, "thing.changed")
    denied = await client.post(f"{at}/approval", headers=mine)
    assert (denied.status_code, denied.json()["code"]) == (403, "person.denied")
    early = await client.post(f"{at}/approval", headers=second)
    assert (early.status_code, early.json()["code"]) == (409, "plan.wrong_state")
    assert (await client.post(f"{at}/submission", headers=mine)).json()["state"] == "submitted"
    back = await client.post(f"{at}/rejection", json={"reason": "补充说明"}, headers=second)
    assert back.json()["state"] == "rejected"
    assert (await client.post(f"{at}/revision", headers=mine)).json()["state"] == "draft"
    await client.post(f"{at}/submission", headers=mine)
    assert (await client.post(f"{at}/approval", headers=second)).json()["state"] == "approved"
    shown = await client.get(f"{at}/changes", params={"since": 1, "until": 2}, headers=mine)
    assert [change["path"] for change in shown.json()] == ["title"]
    listed = await client.get("/api/v1/plans", params={"state": "approved"}, headers=mine)
    assert [one["id"] for one in listed.json()] == [plan["id"]]
    gone = await client.post(f"{at}/cancellation", json={"reason": "任务调整"}, headers=second)
    assert gone.json()["state"] == "cancelled"


DIGITS = st.text("0123456789０１９./%‰ ", min_size=1, max_size=12)


@given(st.one_of(DIGITS, st.builds("{}/{}".format, st.integers(0, 2000), st.integers(0, 2000))))
@example("５%")
@example("1/0")
@example("0.5\n")
def test_a_ratio_is_accepted_only_when_it_is_a_plain_share(text: str) -> None:
    draft = drawing.a_draft(START, spec=drawing.a_spec(strata=(Stratum(name="甲", ratio=text),)))
    code = None
    try:
        planchecks.check(draft, world.SHANDONG)
    except DrawRefusal as refusal:
        code = refusal.code
    if code is None:
        assert text.isascii()
        assert 0 <= Fraction(text) <= 1
    else:
        assert code in ("E_RATIO", "E_CONTROL")


@pytest.mark.parametrize(
    ("level", "parties", "entropy"),
    [
        ("D", ["operator"], []),
        ("C", ["operator"], [drawing.DICE]),
        ("B", ["operator", "b"], []),
        ("B", ["operator", "b"], [drawing.DICE]),
        ("A", ["operator", "b"], [DRAND]),
    ],
)
def test_levels_follow_parties_and_chance(
    level: str, parties: list[str], entropy: list[Entropy]
) -> None:
    assert level_of(parties, entropy) == level

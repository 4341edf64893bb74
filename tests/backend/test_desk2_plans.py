"""Plans at the desk: every field by the form, a wrong one beside it, two people, two hands."""

from datetime import date
from typing import Any

from litestar import Litestar

from backend.pages.desk import plan_forms
from backend.services import plans
from backend.services.records.plans import Entropy, PlanDraft, Stratum
from tests import drawing, world
from tests.backend.rooms import Desk, at_the_desk, text_of
from tests.conftest import StillClock, Work

RICH: dict[str, Any] = {
    "strata": (
        Stratum(name="A类", risk=("A", "B"), regions=(370100, 371000), ratio="1/10", min=1),
        Stratum(name="其余", visited="never", ratio="0.2", max=9),
    ),
    "skills": ("财务", "信息"),
    "entropy": (drawing.DICE, Entropy(source="lottery", ref="双色球 2026025")),
    "occupations": ("ai",),
}


def typed(draft: PlanDraft) -> dict[str, str | list[str]]:
    """The form of a draft as a browser sends it."""
    values = {name: list(value) for name, value in plan_forms.values(draft).items() if value}
    return {"_which": "plan", **values}


def a_rich_draft(at: Any) -> PlanDraft:
    return drawing.a_draft(at, spec=drawing.a_spec(**RICH))


def test_a_plan_comes_back_from_its_form_as_it_was(clock: StillClock) -> None:
    draft = a_rich_draft(clock())
    form = plan_forms.PlanForm(
        **{
            name: value
            if name in ("kinds", "parties", "occupations") or name.endswith("_risk")
            else value[0]
            for name, value in plan_forms.values(draft).items()
            if value
        }
    )
    assert plan_forms.draft(form) == draft


async def a_saved_plan(at: Desk, draft: PlanDraft) -> str:
    answer = await at.send("/desk/plans/new", "/desk/plans/new", typed(draft))
    return str(answer.headers["location"])


async def test_written_simulated_submitted_and_approved_by_another(
    app: Litestar, clock: StillClock, work: Work
) -> None:
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 5))
    at = await at_the_desk(app, office.supervisor)
    draft = drawing.a_draft(clock())
    page = await a_saved_plan(at, draft)
    stored = (await plans.plans(act=office.act))[0]
    assert plans.doc(stored) == plans.doc(draft)
    ordered = await at.send(page, f"{page}/simulations", {"_which": "simulate", "years": "3"})
    await work.drain()
    shown = (await at.open(ordered.headers["location"])).text
    assert shown.count("<svg viewBox") >= 3
    cities = await at.open(f"{ordered.headers['location']}/csv/cities")
    assert "山东" in cities.text
    await at.send(page, f"{page}/submission")
    own = await at.send(page, f"{page}/approval", status=403)
    assert "批准" not in text_of(own) or own.status_code == 403
    second = await at_the_desk(app, office.approver)
    await second.send(page, f"{page}/approval")
    assert "已批准" in (await at.open(page)).text


async def test_a_wrong_field_is_said_beside_it_and_nothing_typed_is_lost(
    app: Litestar, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    at = await at_the_desk(app, office.supervisor)
    fields = typed(a_rich_draft(clock()))
    for name, value in (("s1_name", ""), ("team_size", "9"), ("year", "x"), ("s0_min", "-1")):
        answer = await at.send(
            "/desk/plans/new", "/desk/plans/new", fields | {name: value}, status=422
        )
        assert f'id="plan-{name}-wrong"' in answer.text, name
        assert "一季度培训机构抽查" in answer.text
    late = fields | {"window_until": "2026-03-01"}
    answer = await at.send("/desk/plans/new", "/desk/plans/new", late, status=422)
    assert 'id="plan-window_until-wrong"' in answer.text
    assert await plans.plans(act=office.act) == ()


async def test_two_supervisors_edit_one_plan_and_nothing_is_lost(
    app: Litestar, clock: StillClock
) -> None:
    office = await drawing.an_office(app, clock())
    colleague = await world.a_person(clock(), "supervisor", office=office.id)
    first = await at_the_desk(app, office.supervisor)
    second = await at_the_desk(app, colleague)
    draft = drawing.a_draft(clock())
    page = await a_saved_plan(first, draft)
    fields = typed(draft) | {"rev": "1"}
    await first.send(
        f"{page}/edit", f"{page}/edit", fields | {"title": "甲的名称", "reserve": "5"}
    )
    mine = fields | {"title": "乙的名称", "window_until": "2026-05-15"}
    refused = await second.send(f"{page}/edit", f"{page}/edit", mine, status=409)
    # Mine stands in the form, theirs beside it; what they alone changed is joined in.
    assert 'id="joined"' in refused.text
    assert 'value="乙的名称"' in refused.text
    assert "甲的名称" in refused.text
    assert 'name="rev" value="2"' in refused.text
    assert 'value="2026-05-15"' in refused.text
    joined = mine | {"rev": "2", "reserve": "5"}
    await second.send(f"{page}/edit", f"{page}/edit", joined)
    stored = (await plans.plans(act=office.act))[0]
    assert (stored.rev, stored.title, stored.spec.reserve) == (3, "乙的名称", 5)
    assert stored.window_until == date(2026, 5, 15)
    changed = text_of(await first.open(f"{page}/changes?since=2&until=3"))
    assert "甲的名称" in changed
    assert "乙的名称" in changed


async def test_reasons_rights_and_strangers(app: Litestar, clock: StillClock) -> None:
    office = await drawing.an_office(app, clock())
    at, second = (
        await at_the_desk(app, office.supervisor),
        await at_the_desk(app, office.approver),
    )
    page = await a_saved_plan(at, drawing.a_draft(clock()))
    await second.open("/desk/plans/new", 403)
    await at.send(page, f"{page}/submission")
    short = await second.send(
        page, f"{page}/rejection", {"_which": "reject", "reason": "x"}, status=422
    )
    assert 'id="reject-reason-wrong"' in short.text
    await second.send(page, f"{page}/rejection", {"_which": "reject", "reason": "比例太低"})
    assert "比例太低" in (await at.open(page)).text
    await at.send(page, f"{page}/revision")
    stranger = await world.a_person(clock(), "supervisor", region=world.SHANXI)
    await (await at_the_desk(app, stranger)).open(page, 404)
    assert (await at.http.post(f"{page}/submission")).status_code == 403

"""Publications: verified facts in standard words, two persons, and no name of a person."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.services import publications
from backend.services.errors import Absent, Changed
from backend.services.imports import take
from backend.services.public_facts import (
    Fact,
    FactUnfounded,
    NotReady,
    PersonalNumber,
    WordingContradicted,
)
from backend.services.publications import AlreadyThere, Content, Publication
from inspection_plans.gates import FindingNotVerified, PublicationSamePerson, UnknownWording
from inspection_plans.loader import load
from inspection_plans.publication import PersonalName
from inspection_plans.states import TRANSITIONS, Noun, PublicationWrongState
from tests import casework, world
from tests.conftest import StillClock

pytestmark = pytest.mark.usefixtures("app")
ORDERED = Content(wordings=("correction_ordered",))


async def a_result(
    owner: asyncpg.Connection, clock: StillClock, *, office: casework.Office | None = None
) -> casework.Matter:
    """A concluded visit with a served order."""
    matter = await casework.a_matter(owner, clock(), office=office)
    await casework.served(matter, clock())
    await casework.concluded(owner, matter.visit, clock())
    return matter


async def prepared(
    matter: casework.Matter, clock: StillClock, content: Content = ORDERED
) -> Publication:
    """The preview by the office's author."""
    return await publications.prepare(
        "result", matter.visit, content, rules=load(), act=matter.office.author.act(clock())
    )


async def public(matter: casework.Matter, clock: StillClock) -> Publication:
    """A published result."""
    preview = await prepared(matter, clock)
    await publications.approve(
        preview.id, digest=preview.digest, act=matter.office.approver.act(clock())
    )
    return await publications.publish(preview.id, act=matter.office.author.act(clock()))


async def test_two_persons_and_exactly_the_body_that_was_read(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter = await a_result(owner, clock)
    office = matter.office
    own = await publications.prepare(
        "result", matter.visit, ORDERED, rules=load(), act=office.other.act(clock())
    )
    with pytest.raises(PublicationSamePerson):
        await publications.approve(own.id, digest=own.digest, act=office.other.act(clock()))
    fact = Fact(finding=matter.findings[0].id, text="登记证书与机构名称不一致")
    new = await publications.revise(
        own.id,
        Content(wordings=("correction_ordered",), facts=(fact,)),
        digest=own.digest,
        rules=load(),
        act=office.other.act(clock()),
    )
    with pytest.raises(Changed):
        await publications.approve(own.id, digest=own.digest, act=office.approver.act(clock()))
    with pytest.raises(PublicationWrongState):
        await publications.publish(own.id, act=office.author.act(clock()))
    assert (await client.get(f"/api/v1/public/publications/{own.id}")).status_code == 404
    await publications.approve(own.id, digest=new.digest, act=office.approver.act(clock()))
    assert (await client.get("/api/v1/public/publications")).json() == []
    done = await publications.publish(own.id, act=office.author.act(clock()))
    assert (done.state, done.published_at, done.expires_on) == (
        "published",
        clock(),
        date(2029, 3, 2),
    )
    seen = (await client.get(f"/api/v1/public/publications/{own.id}")).json()
    assert seen["digest"] == new.digest
    assert seen["body"]["facts"] == ["登记证书与机构名称不一致"]
    assert seen["body"]["wordings"][0]["zh"] == "发现问题已责令改正"
    assert seen["body"]["orders"] == ["威人社责改字〔2026〕1号"]
    assert not {"prepared_by", "approved_by", "subject"} & set(seen)
    with pytest.raises(AlreadyThere):
        await prepared(matter, clock)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (Content(), UnknownWording),
        (Content(wordings=("all_fine",)), UnknownWording),
        (Content(wordings=("no_problem_found",)), WordingContradicted),
        (Content(wordings=("corrected_on_order",)), WordingContradicted),
        (
            Content(
                wordings=("correction_ordered",), facts=(Fact(finding=UUID(int=1), text="x"),)
            ),
            FactUnfounded,
        ),
    ],
)
async def test_words_follow_the_facts(
    owner: asyncpg.Connection, clock: StillClock, content: Content, refusal: type[Exception]
) -> None:
    matter = await a_result(owner, clock)
    with pytest.raises(refusal):
        await prepared(matter, clock, content)
    assert await publications.page(act=matter.office.author.act(clock())) == ()


async def test_nothing_suspected_or_unfinished_is_published(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    suspected = await casework.a_matter(owner, clock(), verified=False)
    with pytest.raises(NotReady):
        await prepared(suspected, clock)
    await casework.concluded(owner, suspected.visit, clock())
    with pytest.raises(FindingNotVerified):
        await prepared(suspected, clock)
    verified = await casework.a_matter(owner, clock(), office=suspected.office)
    await casework.concluded(owner, verified.visit, clock())
    with pytest.raises(WordingContradicted):  # nothing was ordered
        await prepared(verified, clock)
    later = await prepared(verified, clock, Content(wordings=("further_handling",)))
    assert later.state == "prepared"


async def test_a_clean_visit_says_so(owner: asyncpg.Connection, clock: StillClock) -> None:
    office = await casework.an_office(clock())
    institution = await casework.an_institution(office, clock())
    visit = await casework.a_visit(office, institution, clock())
    await casework.concluded(owner, visit, clock())
    act = office.author.act(clock())
    with pytest.raises(WordingContradicted):
        await publications.prepare("result", visit, ORDERED, rules=load(), act=act)
    clean = Content(wordings=("no_problem_found",))
    done = await publications.prepare("result", visit, clean, rules=load(), act=act)
    assert (done.body["findings"], done.body["orders"]) == ([], [])


@pytest.mark.parametrize(
    "text", ["校长王若溪在场", "校长王 若 溪在场", "校长王·若溪在场", "王\u3000若溪"]
)
async def test_no_natural_person_is_named_however_spaced(
    owner: asyncpg.Connection, clock: StillClock, text: str
) -> None:
    matter = await a_result(owner, clock)
    inspector = {
        "staff_code": "W-1",
        "name": "王若溪",
        "department": "hr",
        "unit": "监察支队",
        "licence_no": "L-1",
        "licence_until": "2027-01-01",
        "areas": str(world.WEIHAI),
        "cap": "9",
        "region": str(world.WEIHAI),
    }
    act = matter.office.author.act(clock())
    await take("inspectors", [inspector], act=act, rules=load())
    fact = Fact(finding=matter.findings[0].id, text=text)
    named = Content(wordings=("correction_ordered",), facts=(fact,))
    with pytest.raises(PersonalName):
        await prepared(matter, clock, named)


@pytest.mark.parametrize("text", ["37100219900101123X", "电话13912345678。"])
async def test_no_identity_or_mobile_number(
    owner: asyncpg.Connection, clock: StillClock, text: str
) -> None:
    matter = await a_result(owner, clock)
    fact = Fact(finding=matter.findings[0].id, text=text)
    with pytest.raises(PersonalNumber):
        await prepared(matter, clock, Content(wordings=("correction_ordered",), facts=(fact,)))


async def test_a_name_that_came_later_stops_the_approval(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await a_result(owner, clock)
    fact = Fact(finding=matter.findings[0].id, text="赵小岚老师授课")
    preview = await prepared(
        matter, clock, Content(wordings=("correction_ordered",), facts=(fact,))
    )
    await owner.execute(
        "update account set display_name = '赵小岚' where id = $1", matter.user.person.id
    )
    with pytest.raises(PersonalName):
        await publications.approve(
            preview.id, digest=preview.digest, act=matter.office.approver.act(clock())
        )


async def test_a_correction_keeps_before_and_after(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    matter = await a_result(owner, clock)
    old = await public(matter, clock)
    act = matter.office.author.act(clock())
    both = Content(wordings=("correction_ordered", "further_handling"))
    new = await publications.correct(old.id, both, reason="用语补充", rules=load(), act=act)
    with pytest.raises(AlreadyThere):
        await publications.correct(old.id, both, reason="又一次", rules=load(), act=act)
    assert (await client.get(f"/api/v1/public/publications/{old.id}")).json()[
        "state"
    ] == "published"
    await publications.approve(new.id, digest=new.digest, act=matter.office.approver.act(clock()))
    await publications.publish(new.id, act=act)
    after = (await client.get(f"/api/v1/public/publications/{new.id}")).json()
    before = (await client.get(f"/api/v1/public/publications/{old.id}")).json()
    assert after["before"] == before["body"] == old.body
    assert after["body"]["correction"] == {
        "reason": "用语补充",
        "of": str(old.id),
        "before": old.digest,
    }
    assert (before["state"], before["corrected_by"]) == ("corrected", str(new.id))
    with pytest.raises(Changed):
        await publications.correct(old.id, both, reason="再次", rules=load(), act=act)
    again = await publications.correct(new.id, ORDERED, reason="再次", rules=load(), act=act)
    assert again.corrects == new.id


async def test_two_prepare_at_once_and_one_stands(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await a_result(owner, clock)
    both = await asyncio.gather(
        prepared(matter, clock), prepared(matter, clock), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in both) == ["AlreadyThere", "Publication"]


async def test_what_is_concluded_falls_due(owner: asyncpg.Connection, clock: StillClock) -> None:
    matter = await a_result(owner, clock)
    act = matter.office.author.act
    (due,) = await publications.due(act=act(clock()))
    # 20 working days after Monday 2026-03-02
    assert (due.due_on, due.days_left, due.late, due.state) == (date(2026, 3, 30), 20, False, None)
    await prepared(matter, clock)
    clock.set(clock() + timedelta(days=29))
    (due,) = await publications.due(act=act(clock()))
    assert (due.late, due.state, due.days_left) == (True, "prepared", -1)
    preview = (await publications.page(act=act(clock())))[0]
    await publications.approve(
        preview.id, digest=preview.digest, act=matter.office.approver.act(clock())
    )
    await publications.publish(preview.id, act=act(clock()))
    # The look-up of what is due leaves it out; one that was public before the column did is asked.
    assert await owner.fetchval("select result_public from visit where id = $1", matter.visit)
    assert await publications.due(act=act(clock())) == ()
    await owner.execute("update visit set result_public = null")
    assert await publications.due(act=act(clock())) == ()


async def test_another_region_prepares_and_reads_nothing(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await a_result(owner, clock)
    preview = await prepared(matter, clock)
    far = await casework.an_office(clock(), world.SHANXI, "晋人社")
    act = far.author.act(clock())
    for deed in (
        publications.get(preview.id, act=act),
        publications.publish(preview.id, act=act),
        publications.prepare("result", matter.visit, ORDERED, rules=load(), act=act),
    ):
        with pytest.raises(Absent):
            await deed
    assert await publications.due(act=act) == ()


async def test_the_public_list_pages_and_answers_304(
    owner: asyncpg.Connection, client: httpx.AsyncClient, clock: StillClock
) -> None:
    office = await casework.an_office(clock())
    ids = []
    for _ in range(3):
        ids.append(str((await public(await a_result(owner, clock, office=office), clock)).id))
        clock.tick(minutes=1)
    path = "/api/v1/public/publications"
    first = await client.get(f"{path}?kind=result&limit=2")
    assert [p["id"] for p in first.json()] == [ids[2], ids[1]]
    rest = await client.get(f"{path}?kind=result&limit=2&after={ids[1]}")
    assert [p["id"] for p in rest.json()] == [ids[0]]
    tag = first.headers["etag"]
    same = await client.get(f"{path}?kind=result&limit=2", headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert (await client.get(f"{path}?kind=plan")).json() == []
    assert (await client.get(f"{path}?kind=rumour")).status_code in {400, 422}
    clock.set(clock() + timedelta(days=3 * 366))
    assert (await client.get(path)).json() == []  # shown for the years the setting says


async def test_every_illegal_transition_is_refused_and_changes_nothing(
    owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await a_result(owner, clock)
    first = await prepared(matter, clock)
    act, approver = matter.office.author.act(clock()), matter.office.approver.act(clock())
    for state, allowed in TRANSITIONS[Noun.PUBLICATION].items():
        await owner.execute("update publication set state = $1", state)
        held = await owner.fetchval("select p::text from publication p")
        deeds = {
            "approve": publications.approve(first.id, digest=first.digest, act=approver),
            "publish": publications.publish(first.id, act=act),
            "correct": publications.correct(first.id, ORDERED, reason="x", rules=load(), act=act),
        }
        revise = publications.revise(first.id, ORDERED, digest=first.digest, rules=load(), act=act)
        tried = [*deeds.items(), ("approve", revise)]
        for verb, deed in tried:
            if verb in allowed:
                deed.close()
                continue
            with pytest.raises(PublicationWrongState):
                await deed
        assert await owner.fetchval("select p::text from publication p") == held

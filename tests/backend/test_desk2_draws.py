"""The draw room: two parties by its forms, and an attempt made void by two persons."""

import asyncpg
from litestar import Litestar

from backend.services import ceremony, draws
from tests import drawing
from tests.backend.rooms import at_the_desk, text_of
from tests.conftest import StillClock, Work


async def a_room(app: Litestar, clock: StillClock) -> tuple[drawing.Office, drawing.Signer, str]:
    """An office, a second party, and the room of their frozen draw."""
    office = await drawing.an_office(app, clock())
    await drawing.institutions(office.act, range(1, 9))
    await drawing.inspectors(office.act, range(1, 5))
    party = await drawing.a_party(office)
    spec = drawing.a_spec(parties=("operator", party.code))
    plan = await drawing.an_approved_plan(office, spec=spec)
    draw = await drawing.a_frozen_draw(office, plan)
    clock.set(office.at)
    return office, party, f"/desk/draws/{draw.id}"


async def test_two_parties_commit_and_reveal_by_the_forms_of_the_room(
    app: Litestar, clock: StillClock, work: Work, owner: asyncpg.Connection
) -> None:
    office, party, room = await a_room(app, clock)
    at = await at_the_desk(app, office.supervisor)
    draw = (await draws.draws(act=office.act))[0]
    commits = party.commits(draw)
    signed = party.key.sign(ceremony.COMMIT_TAG + bytes.fromhex(commits)).hex()
    fields = {"_which": "commit", "party": party.code, "commitment": commits, "signature": signed}
    forged = await at.send(
        room, f"{room}/commitments", fields | {"signature": "0" * 128}, status=403
    )
    assert commits in forged.text  # what was typed is still there
    await at.send(room, f"{room}/commitments", fields | {"commitment": "x"}, status=422)
    await at.send(room, f"{room}/commitments", fields)
    dice = {"source": "dice", "ref": drawing.DICE.ref, "value": drawing.DIGITS}
    await at.send(room, f"{room}/chance", dice | {"witnesses": "\n".join(drawing.WITNESSES)})
    head = (await draws.draw(draw.id, act=office.act)).draw.head
    assert head in (await at.open(room)).text
    shown = {
        "_which": "reveal",
        "party": party.code,
        "secret": party.secret.hex(),
        "head": head,
        "signature": party.key.sign(bytes.fromhex(head)).hex(),
    }
    await at.send(room, f"{room}/reveals", shown | {"secret": "ab" * 32}, status=422)
    await at.send(room, f"{room}/reveals", shown)
    await work.drain()
    assert await owner.fetchval("select state from draw") == "drawn"
    said = text_of(await at.open(room))
    assert "检查组（化名）" in said
    assert "虚构培训机构" not in said


async def test_an_attempt_is_made_void_by_two_persons_and_stays(
    app: Litestar, clock: StillClock
) -> None:
    office, _, room = await a_room(app, clock)
    at = await at_the_desk(app, office.supervisor)
    second = await at_the_desk(app, office.approver)
    reason = {"_which": "propose", "reason": "参与方无法到场"}
    await at.send(room, f"{room}/void-proposal", reason | {"reason": "x"}, status=422)
    await at.send(room, f"{room}/void-proposal", reason)
    await at.send(room, f"{room}/void", status=403)
    await second.send(room, f"{room}/void")
    said = text_of(await at.open(room))
    assert "本次抽取作废" in said
    assert "参与方无法到场" in said
    assert "作废" in text_of(await at.open("/desk/draws"))
    late = await second.send("/desk/draws", f"{room}/void", status=409)
    assert "role=" in late.text

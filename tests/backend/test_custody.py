"""Acts of two persons on evidence, and the locks that keep originals."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.clock import new_id
from backend.services import cases, custody_acts, devices, findings
from inspection_plans.loader import load
from media.bucket import Bucket, Room
from tests import casework, world
from tests import field as worlds
from tests.backend.desk import Desk
from tests.conftest import StillClock, Work
from tests.phone import Capture, Phone


@pytest.fixture
async def field(
    clock: StillClock, desk: Desk, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> worlds.Field:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the store judges an address by the real time
    return await worlds.a_field(desk, client, owner)


class Two:
    """A supervisor who proposes and an approver who decides, over HTTP."""

    def __init__(self, http: httpx.AsyncClient, one: dict[str, str], two: dict[str, str]) -> None:
        self.http, self.one, self.two = http, one, two

    async def propose(self, piece: str, kind: str, headers: dict[str, str] | None = None) -> Any:
        return await self.http.post(
            f"/api/v1/evidence/{piece}/acts",
            json={"kind": kind, "reason": "提议理由"},
            headers=headers or self.one,
        )

    async def decide(
        self, act: str, *, approve: bool = True, headers: dict[str, str] | None = None
    ) -> Any:
        return await self.http.post(
            f"/api/v1/custody-acts/{act}/decision",
            json={"approve": approve, "reason": "决定理由"},
            headers=headers or self.two,
        )

    async def both(self, piece: str, kind: str) -> dict[str, Any]:
        proposed = await self.propose(piece, kind)
        assert proposed.status_code == 201, proposed.text
        decided = await self.decide(proposed.json()["id"])
        assert decided.status_code == 200, decided.text
        found: dict[str, Any] = decided.json()
        return found


@pytest.fixture
async def two(field: worlds.Field, client: httpx.AsyncClient) -> Two:
    approver = await world.a_person(field.clock(), "approver", region=world.SHANDONG)
    return Two(
        client,
        await world.signed_in(client, field.desk.who),
        await world.signed_in(client, approver),
    )


async def row(field: worlds.Field, capture: Capture) -> dict[str, Any]:
    found = await field.owner.fetchrow("select * from evidence where id = $1", UUID(capture.id))
    return dict(found)


async def sent(phone: Phone, raw: bytes, **changes: Any) -> Capture:
    """Declared, put and completed."""
    capture = phone.capture(raw, **changes)
    declared = await phone.send(phone.op("evidence.declare", capture.body))
    assert declared[0]["result"] == "applied", declared
    assert (await phone.upload(capture)).status_code == 200
    assert (await phone.complete(capture)).json()["state"] == "received"
    return capture


async def test_two_persons_admit_a_piece_under_a_revoked_key(
    field: worlds.Field, work: Work, two: Two, s3: Bucket
) -> None:
    shot = await sent(field.phone, worlds.a_jpeg())
    await devices.revoke(field.phone.dev, act=field.desk.act, compromised_since=field.clock())
    await work.drain()
    assert (await row(field, shot))["reason"] == "revoked_key"
    decided = await two.both(shot.id, "admit")
    assert (decided["state"], decided["kind"]) == ("approved", "admit")
    await work.drain()
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("sealed", None)
    assert held["flags"] == ["admitted_revoked_key"]
    assert s3.rehash(Room.ORIGINALS, held["object_key"]).sha256 == shot.sha256
    for verb in ("admit_proposed", "admit_approved", "verified"):
        assert await field.entries(f"evidence.{verb}") == 1


async def test_an_unknown_device_is_admitted_and_its_bytes_are_proved_all_the_same(
    field: worlds.Field, work: Work, two: Two
) -> None:
    good = await sent(field.phone, worlds.a_jpeg(), kid="0123456789abcdef")
    bad = await sent(field.phone, b"GIF89a" + bytes(60), kid="0123456789abcdef")
    await work.drain()
    for shot in (good, bad):
        assert (await row(field, shot))["reason"] == "unknown_key"
        await two.both(shot.id, "admit")
    await work.drain()
    held = await row(field, good)
    assert (held["state"], held["flags"]) == ("sealed", ["unknown_key", "admitted_unknown_key"])
    held = await row(field, bad)
    assert (held["state"], held["reason"]) == ("quarantined", "media.type_mismatch")
    again = await two.propose(bad.id, "admit")
    assert (again.status_code, again.json()["code"]) == (409, "evidence.not_admissible")


async def test_altered_bytes_are_never_admitted(
    field: worlds.Field, work: Work, two: Two, s3: Bucket
) -> None:
    shot = field.phone.capture(worlds.a_jpeg())
    await field.phone.send(field.phone.op("evidence.declare", shot.body))
    key = (await row(field, shot))["object_key"]
    s3.put(Room.QUARANTINE, key, shot.raw[:-3] + b"\0" + shot.raw[-2:], "image/jpeg")
    await field.phone.complete(shot)
    await work.drain()
    assert (await row(field, shot))["reason"] == "media.hash_mismatch"
    refused = await two.propose(shot.id, "admit")
    assert (refused.status_code, refused.json()["code"]) == (409, "evidence.not_admissible")
    assert refused.json()["facts"]["admissible"] == ["revoked_key", "unknown_key"]
    assert await field.owner.fetchval("select count(*) from custody_act") == 0


async def test_one_person_is_not_enough(
    field: worlds.Field, work: Work, two: Two, client: httpx.AsyncClient
) -> None:
    shot = await sent(field.phone, worlds.a_jpeg())
    await work.drain()
    both = await world.a_person(field.clock(), "supervisor", "approver", region=world.SHANDONG)
    alone = await world.signed_in(client, both)
    proposed = (await two.propose(shot.id, "void", alone)).json()
    refused = await two.decide(proposed["id"], headers=alone)
    assert (refused.status_code, refused.json()["code"]) == (403, "evidence.same_person")
    assert (await two.decide(proposed["id"], headers=two.one)).status_code == 403
    second = await two.propose(shot.id, "void")
    assert (second.status_code, second.json()["code"]) == (409, "evidence.act_open")
    assert (await row(field, shot))["state"] == "sealed"
    with pytest.raises(asyncpg.CheckViolationError):
        await field.owner.execute(
            "update custody_act set state = 'approved', decided_by = proposed_by"
        )


async def test_a_void_piece_is_kept_seen_and_counts_no_more(
    field: worlds.Field, work: Work, two: Two, s3: Bucket
) -> None:
    phone = field.phone
    await phone.send(phone.op("visit.start", {}))
    shot = phone.capture(worlds.a_jpeg())
    await worlds.submitted(field, [shot], [worlds.an_answer()])
    await phone.upload(shot)
    await phone.complete(shot)
    await work.drain()
    assert (await row(field, shot))["state"] == "sealed"
    decided = await two.both(shot.id, "void")
    assert decided["evidence_state"] == "withdrawn"
    held = await row(field, shot)
    assert (held["state"], held["reason"]) == ("withdrawn", "提议理由")
    assert s3.lock_of(held["object_key"], held["version_id"]).hold
    await worlds.signed(phone, *field.inspectors[:2])
    assert await field.state() == "submitted"
    missing = await field.owner.fetch("select what, id from visit_missing($1)", field.visit)
    assert [tuple(one) for one in missing] == [("evidence", shot.id)]
    path = f"/api/v1/evidence/{shot.id}/files/original"
    seen = await two.http.get(path, headers=two.one, follow_redirects=False)
    assert seen.status_code == 303
    done = await two.decide(decided["id"])
    assert (done.status_code, done.json()["code"]) == (409, "evidence.act_decided")


async def test_a_refused_proposal_changes_nothing_and_may_be_made_again(
    field: worlds.Field, work: Work, two: Two
) -> None:
    shot = await sent(field.phone, worlds.a_jpeg())
    await work.drain()
    before = await row(field, shot)
    proposed = (await two.propose(shot.id, "void")).json()
    refused = await two.decide(proposed["id"], approve=False)
    assert refused.json()["state"] == "refused"
    assert await row(field, shot) == before
    assert await field.entries("evidence.void_refused") == 1
    assert (await two.propose(shot.id, "void")).status_code == 201
    listed = await two.http.get(f"/api/v1/evidence/{shot.id}/acts", headers=two.two)
    assert [one["state"] for one in listed.json()["acts"]] == ["refused", "proposed"]
    page = await two.http.get("/api/v1/custody-acts?state=proposed", headers=two.two)
    assert [one["evidence"] for one in page.json()["acts"]] == [shot.id]


async def test_a_lock_is_lifted_only_when_the_retention_is_over(
    field: worlds.Field, work: Work, two: Two, s3: Bucket
) -> None:
    shot = await sent(field.phone, worlds.a_jpeg())
    await work.drain()
    early = await two.propose(shot.id, "unlock")
    assert (early.status_code, early.json()["code"]) == (409, "evidence.still_retained")
    held = await row(field, shot)
    assert held["retain_until"] - held["verified_at"] >= timedelta(days=5 * 365)
    await field.owner.execute("update evidence set retain_until = now() - interval '1 day'")
    await two.both(shot.id, "unlock")
    # The row was told otherwise; the store still says its day, and that counts.
    await work.drain()
    assert s3.lock_of(held["object_key"], held["version_id"]).hold
    assert await field.entries("evidence.lock_lifted") == 0


async def test_somebody_elses_region_is_not_there(
    field: worlds.Field, work: Work, two: Two, client: httpx.AsyncClient
) -> None:
    shot = await sent(field.phone, worlds.a_jpeg())
    await work.drain()
    stranger = await world.signed_in(
        client, await world.a_person(field.clock(), "supervisor", region=world.SHANXI)
    )
    foreign = await two.propose(shot.id, "void", stranger)
    never = await two.propose(str(new_id()), "void", stranger)
    assert foreign.status_code == never.status_code == 404
    proposed = (await two.propose(shot.id, "void")).json()
    judge = await world.signed_in(
        client, await world.a_person(field.clock(), "approver", region=world.SHANXI)
    )
    assert (await two.decide(proposed["id"], headers=judge)).status_code == 404


async def test_after_the_retention_the_hold_comes_off_and_the_entry_stays(
    field: worlds.Field, work: Work, s3: Bucket
) -> None:
    shot = await sent(field.phone, worlds.a_jpeg())
    await work.drain()
    held = await row(field, shot)
    approver = await world.a_person(field.clock(), "approver", region=world.SHANDONG)
    later = field.clock.tick(days=366 * 5 + 2)
    piece = UUID(shot.id)
    proposed = await custody_acts.propose(piece, "unlock", "期满", act=field.desk.who.act(later))
    await custody_acts.decide(proposed.id, "同意", approve=True, act=approver.act(later))
    await work.drain()
    lock = s3.lock_of(held["object_key"], held["version_id"])
    assert (lock.hold, lock.until) == (False, held["retain_until"].replace(microsecond=0))
    assert await field.entries("evidence.lock_lifted") == 1
    assert (await row(field, shot))["state"] == "sealed"


async def test_a_case_puts_its_originals_under_compliance(
    field: worlds.Field, work: Work, s3: Bucket
) -> None:
    shot = await sent(field.phone, worlds.a_jpeg())
    await work.drain()
    act = field.desk.act
    await casework.answered(field.owner, field.visit, TI_02="fail")
    (found,) = await findings.derive(field.visit, act=act, rules=load())
    await findings.verify(found, evidence=(UUID(shot.id),), act=act)
    await cases.open_critical((found,), reason="目录外开班", act=act)
    await work.drain()
    held = await row(field, shot)
    lock = s3.lock_of(held["object_key"], held["version_id"])
    assert (lock.mode, lock.hold, lock.until) == ("COMPLIANCE", True, held["retain_until"])
    assert held["lock_mode"] == "compliance"
    assert await field.entries("evidence.compliance") == 1

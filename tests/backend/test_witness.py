"""`mingcha witness` as another bureau runs it: a process of its own against a served office."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import asyncpg
import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from backend.app import create_app
from backend.services import log_checks
from backend.services.log_checks import Outside
from backend.settings import Settings
from media import keys, witnessing
from media.bucket import Bucket
from media.checkpoint import ED25519
from media.cosignature import COSIGNATURE, Vkey
from tests.conftest import StillClock
from tests.logs import Log, served
from tests.tampering import Superuser, fork, roll_back

ROOT = Path(__file__).parents[2]
NAME = "witness.example/bureau"
SEED = b"w" * 32
BY = Vkey(NAME, COSIGNATURE, keys.ServerKey.from_seed(SEED).public)


@dataclass
class Bureau:
    """The other bureau: its folder and what it was told of the log by another way."""

    log: Log
    folder: Path
    address: str

    @property
    def file(self) -> Path:
        return self.folder / "heads"

    async def run(self, *words: str) -> tuple[int, str]:
        """`mingcha witness …`: its exit status and all it said."""
        vkey = str(Vkey(self.log.origin, ED25519, self.log.key.public))
        known = ["--file", str(self.file), "--name", NAME, "--log-key", vkey]
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "backend", "witness", words[0], *known, *words[1:]),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await child.communicate()
        return child.returncode or 0, said.decode()

    async def watch(self) -> tuple[int, str]:
        return await self.run("watch", "--log", self.address)

    def sizes(self) -> list[int]:
        return [witnessing.checkpoint.parse(one.note).head.size for one in self.heads()]

    def heads(self) -> list[witnessing.Seen]:
        return list(witnessing.read(self.file))


@pytest.fixture
async def bureau(
    app: Litestar,
    settings: Settings,
    s3: Bucket,
    clock: StillClock,
    owner: asyncpg.Connection,
    tmp_path: Path,
) -> AsyncIterator[Bureau]:
    clock.set(datetime.now(UTC))  # noqa: TID251 - the witness lives in real time
    log = Log(app.state.jobs, clock, owner)
    (tmp_path / "witness.seed").write_bytes(SEED)
    known = replace(settings, log_origin=log.origin, witnesses=(str(BY),))
    async with served(create_app(known, bucket=s3, clock=clock)) as address:
        yield Bureau(log, tmp_path, address)


async def test_it_sees_each_head_once_and_tells_the_office(bureau: Bureau) -> None:
    log = bureau.log
    status, said = await bureau.watch()
    assert (status, "witness.log_empty" in said) == (1, True)
    await log.headed(3)
    status, said = await bureau.watch()
    assert (status, "told the log" in said) == (0, True)
    await log.headed(4)
    assert [(await bureau.watch())[0] for _ in range(2)] == [0, 0]
    assert bureau.sizes() == [3, 7]
    report = await log_checks.check(
        log.key, Outside(witnesses=(str(BY),), witness_files=(bureau.file,))
    )
    held = sorted((one.claim.kind, one.claim.size, one.outcome) for one in report.held)
    assert (report.faults, report.gaps) == ((), ())
    assert held == [
        ("cosignature", 3, "held"),
        ("cosignature", 7, "held"),
        ("witness", 3, "held"),
        ("witness", 7, "held"),
    ]
    assert (await bureau.run("key")) == (0, f"{BY}\n")


async def test_a_fork_and_a_rollback_are_refused_and_proved_by_its_file(
    bureau: Bureau, owner: asyncpg.Connection
) -> None:
    """The office's superuser has the log's key and makes the database whole again."""
    log = bureau.log
    await log.headed(4)
    await log.headed(5)
    await bureau.watch()
    before = bureau.file.read_bytes()
    for deed in (fork, roll_back):
        await owner.execute("set session_replication_role = replica")
        key = log.context.keys.log
        await deed(Superuser(owner, Random(2), 9, key, log.origin))
        await owner.execute("set session_replication_role = origin")
        assert (await log_checks.check(log.key, Outside())).faults == ()
        status, said = await bureau.watch()
        assert (status, "witness.head_refused" in said) == (1, True)
        assert bureau.file.read_bytes() == before
        report = await log_checks.check(log.key, Outside(witness_files=(bureau.file,)))
        assert {one.code for one in report.faults} <= {"anchor.differs", "anchor.beyond"}
        assert report.faults


async def test_a_head_may_come_as_a_file(bureau: Bureau, tmp_path: Path) -> None:
    log = bureau.log
    async with httpx.AsyncClient(base_url=bureau.address, trust_env=False) as http:
        await log.headed(3)
        first = (await http.get("/api/v1/log/checkpoint")).json()
        await log.headed(2)
        grown = (await http.get("/api/v1/log/proof/consistency?old=3&new=5")).json()
    carried = tmp_path / "carried.json"
    answers = []
    for said in (first, {**grown, "proof": grown["proof"][:-1]}, grown, first, "?"):
        carried.write_text(json.dumps(said), "utf-8")
        answers.append((await bureau.run("watch", "--offer", str(carried)))[0])
    assert answers == [0, 1, 0, 1, 1]
    assert bureau.sizes() == [3, 5]


async def test_a_key_that_is_not_the_logs_sees_nothing(bureau: Bureau) -> None:
    await bureau.log.headed(3)
    wrong = str(Vkey(bureau.log.origin, ED25519, BY.public))
    for key in (wrong, "no key"):
        status, _ = await bureau.run("watch", "--log", bureau.address, "--log-key", key)
        assert status == 1
    assert bureau.file.exists() is False or bureau.sizes() == []

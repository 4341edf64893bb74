"""What the log says on paper, what a bundle learns of an entry, the nightly check, the command."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import asyncpg
import httpx
import pytest
import segno
import zxingcpp
from litestar import Litestar
from msgspec.structs import replace
from PIL import Image

from backend.embedded import tsa
from backend.jobs import logwatch
from backend.jobs import timestamps as stamps
from backend.keyring import open_keyring
from backend.services import checkup, log_checks, log_marks, log_proofs, log_words
from backend.services.log_checks import Outside
from backend.services.log_replay import Fault
from backend.settings import Settings, SettingsWrong, from_environment, to_environment
from media import checkpoint, merkle, timestamps
from tests.conftest import StillClock
from tests.logs import Log

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def log(app: Litestar, clock: StillClock, owner: asyncpg.Connection) -> Log:
    clock.set(datetime.now(UTC).replace(hour=19))  # noqa: TID251 - an evening of today
    return Log(app.state.jobs, clock, owner)


async def test_the_head_is_printed_with_a_code_that_holds_it(
    log: Log, client: httpx.AsyncClient
) -> None:
    empty = await client.get("/api/v1/log/mark")
    assert (empty.status_code, empty.json()["code"]) == (404, "thing.absent")
    assert "还没有条目" in (await client.get("/log")).text
    await log.headed(6)
    mark = (await client.get("/api/v1/log/mark")).json()
    head = log.key.read(mark["note"])
    assert (mark["size"], mark["root"]) == (6, head.root.hex())
    assert mark["lines_zh"][0] == f"审计日志树头：6 条；根 {head.root.hex()}"
    assert mark["lines_zh"][-1] == "可信时间戳：尚未加盖"
    page = (await client.get("/log?lang=en")).text
    assert mark["qr"] in page
    assert "Time stamp: not timestamped yet" in page
    assert "Not checked yet" in page
    # The code as a scanner sees it: the same modules as a picture.
    out = BytesIO()
    segno.make(mark["note"], error="m", micro=False).save(out, kind="png", scale=4, border=4)
    found = zxingcpp.read_barcodes(Image.open(out, formats=["PNG"]))
    assert [one.text for one in found] == [mark["note"]]
    assert log_marks.code_of(mark["note"]) == mark["qr"]


async def test_a_paper_is_an_anchor(log: Log, tmp_path: Path) -> None:
    await log.headed(6)
    mark = await log_marks.newest()
    paper = tmp_path / "paper.txt"
    paper.write_text(mark.note, "utf-8")
    await log.headed(3)
    report = await log_checks.check(log.key, Outside(papers=(paper,)))
    assert [(one.claim.kind, one.claim.size, one.outcome) for one in report.held] == [
        ("paper", 6, "held")
    ]
    assert any("the first 6 entries" in line for line in log_checks.told(report, "en"))
    paper.write_text(mark.note.replace("6", "5", 1), "utf-8")
    forged = await log_checks.check(log.key, Outside(papers=(paper, tmp_path / "none")))
    assert [one.code for one in forged.faults] == ["anchor.unsigned"]
    assert [one.code for one in forged.gaps] == ["witness.unread"]


async def test_a_bundle_learns_how_its_entries_were_sealed(log: Log, tmp_path: Path) -> None:
    served = await asyncio.to_thread(tsa.serve, tmp_path / "tsa")
    log.context = log.with_settings(log.context, tsa_url=served.url, tsa_roots=served.roots)
    began = log.clock()
    first = await log.headed(5)
    second = await log.headed(4)
    waiting = await log.wrote(1)
    (one, other) = await log_proofs.at_seal([first[2], second[0], *waiting])
    assert (one.entry, one.index, one.size, other.size) == (first[2], 2, 5, 9)
    assert (one.anchored_at, one.stamp, log_proofs.gap(began, one)) == (None, None, None)
    for sealed in (one, other):
        head = log.key.read(sealed.checkpoint)
        proof = [bytes.fromhex(node) for node in sealed.proof]
        leaf = bytes.fromhex(sealed.leaf)
        assert merkle.includes(leaf, sealed.index, sealed.size, proof, head.root)
    log.clock.tick(seconds=20)
    await log.anchored()
    await stamps.once(log.context)
    (again,) = await log_proofs.at_seal(first[:1])
    assert again.anchored_at == log.clock()
    assert again.stamp is not None
    assert (again.stamp.size, again.stamp.authority) == (9, "dev-tsa")
    roots = timestamps.roots_of(served.roots.read_bytes())
    timestamps.verify(again.stamp.tsr, again.stamp.note.encode(), roots=roots)
    gap = log_proofs.gap(began, again)
    assert gap == min(again.stamp.at - began, timedelta(seconds=20))
    served.stop()


async def doctor(log: Log) -> dict[str, tuple[bool, str]]:
    found = await checkup.checkup(at=log.clock())
    return {one.part: (one.ok, one.en) for one in found}


async def test_the_doctor_says_what_was_neither_checked_nor_stamped(
    log: Log, tmp_path: Path
) -> None:
    assert (await doctor(log))["time stamps"][0]
    await log.headed(1)
    assert (await doctor(log))["log check"] == (
        True,
        "the audit log was not checked yet; that happens every night",
    )
    log.clock.tick(hours=3)
    assert (await doctor(log))["time stamps"][0] is False
    served = await asyncio.to_thread(tsa.serve, tmp_path / "tsa")
    log.context = log.with_settings(log.context, tsa_url=served.url, tsa_roots=served.roots)
    await stamps.once(log.context)
    served.stop()
    ok, said = (await doctor(log))["time stamps"]
    assert (ok, "by dev-tsa" in said) == (True, True)
    await log.headed(1)
    log.clock.tick(hours=3)
    assert (await doctor(log))["time stamps"][0] is False
    await logwatch.once(log.context)
    assert (await doctor(log))["log check"][0]
    log.clock.tick(hours=27)
    assert (await doctor(log))["log check"][0] is False


async def test_every_night_the_log_is_checked_once_and_the_result_is_public(
    log: Log, client: httpx.AsyncClient
) -> None:
    await log.headed(3)
    await log.anchored()
    assert [await logwatch.once(log.context) for _ in range(2)] == [1, 0]
    last = await log_checks.last()
    assert last is not None
    assert (last.size, last.entries, last.faults, last.gaps) == (3, 3, 0, 0)
    assert "全部相符" in (await client.get("/log")).text
    verb = "select body ->> 'verb' from aud.entry order by id desc limit 1"
    assert await log.owner.fetchval(verb) == "log.verified"
    log.clock.tick(hours=22)
    assert await logwatch.once(log.context) == 0
    log.clock.tick(hours=2)
    await log.as_superuser("delete from aud.entry where tree_index = 2")
    assert await logwatch.once(log.context) == 1
    kept = await log.owner.fetchval(
        "select faults::text from aud.verification order by verified_at desc limit 1"
    )
    assert "anchor.beyond" in kept
    assert await log.owner.fetchval(verb) == "log.fault_found"
    assert "处不符" in (await client.get("/log")).text


def test_authority_and_witnesses_are_the_operators_settings(settings: Settings) -> None:
    vkey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    known = replace(
        settings,
        tsa_url="https://tsa.example/stamp",
        tsa_roots=Path("/etc/mingcha/tsa.pem"),
        witnesses=(vkey, vkey),
    )
    env = to_environment(known)
    found = from_environment(env)
    assert (found.tsa_url, found.tsa_roots) == (known.tsa_url, known.tsa_roots)
    assert found.witnesses == (vkey, vkey)
    for wrong in (
        {"MINGCHA_TSA_URL": "ftp://tsa.example"},
        {"MINGCHA_TSA_ROOTS": ""},
        {"MINGCHA_WITNESSES": "witness.example"},
    ):
        with pytest.raises(SettingsWrong):
            from_environment(env | wrong)


def test_every_fault_has_its_sentence_in_both_languages() -> None:
    numbers = ("place", "id", "level", "index", "count", "stored", "expected", "size", "entries")
    facts = dict.fromkeys(numbers, 1) | dict.fromkeys(("where", "reason", "name"), "x")
    sources = [
        (ROOT / "backend" / "services" / name).read_text("utf-8")
        for name in ("log_replay.py", "anchors.py", "log_checks.py")
    ]
    codes = {
        code
        for code in log_words.sentences()
        if code.partition(".")[0] not in ("kind", "line", "mark", "doctor")
    }
    assert codes == {code for code in codes if any(f'"{code}"' in text for text in sources)}
    for code in codes:
        said = [log_words.fault(Fault(code, facts), language) for language in ("zh", "en")]
        assert "{" not in "".join(said)


async def command(log: Log, *words: str) -> tuple[int, str]:
    """`mingcha log verify`: its exit status and what it printed."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "backend", "log", "verify", *words),
        cwd=ROOT,
        env={**to_environment(log.context.settings), "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    return child.returncode or 0, said.decode()


async def test_the_command_says_what_it_found_against_which_anchor(
    log: Log, tmp_path: Path
) -> None:
    assert open_keyring(log.context.settings.keys).log.public == log.key.public
    await log.headed(4)
    await log.anchored()
    status, said = await command(log)
    assert status == 0
    assert f"Against the newest anchor {log.origin}/{4:020d}.note" in said
    status, said = await command(log, "--witness", str(tmp_path / "none"))
    assert (status, "cannot be read" in said) == (2, True)
    await log.as_superuser(
        "update aud.entry set body = jsonb_set(body, '{reason}', '\"x\"') where tree_index = 1"
    )
    status, said = await command(log)
    assert (status, "Entry 1 (id " in said, "被改过" in said) == (1, True, True)
    status, said = await command(log, "--json")
    assert (status, '"entry.edited"' in said) == (1, True)


async def test_a_head_needs_its_origin(log: Log) -> None:
    await log.headed(1)
    other = checkpoint.sign(
        checkpoint.Checkpoint("else", 1, b"\0" * 32), name="else", key=log.context.keys.log
    )
    with pytest.raises(checkpoint.NoteInvalid):
        log.key.read(other)

"""A backup is whole or not there; damage is told and healed; keys and numbers stay out."""

import asyncio
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from msgspec.structs import replace

from backend.clock import new_id
from backend.commands import backup, office, restore
from backend.embedded.postgres import find_install
from backend.jobs import printer
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import audit, upkeep
from backend.services.backups import checking, copying, keybox, restoring, taking
from backend.services.backups.checking import (
    DUMP,
    LIST,
    MANIFEST,
    OBJECTS,
    SETS,
    STAMP_ROOTS,
    Set,
)
from backend.services.backups.dump import Wanted
from backend.services.backups.errors import (
    HiddenRows,
    KeysInside,
    KeysOther,
    NoSet,
    NotEmpty,
    PassphraseShort,
    PassphraseWrong,
    SetBroken,
    TargetBusy,
    ToolFailed,
)
from backend.services.backups.records import Line
from backend.services.documents import issuing
from backend.services.documents.issuing import Stamp
from backend.settings import Settings
from media.bucket import Bucket, Item, Room
from tests import casework, world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.backend.elsewhere import files, own_pools
from tests.conftest import StillClock, Work

ID_NUMBER = re.compile(rb"(?<![0-9a-fA-F])[1-9][0-9]{16}[0-9Xx](?![0-9a-fA-F])")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@pytest.fixture
def shelf() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="mingcha-shelf-"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def small(app: Litestar, settings: Settings) -> Settings:  # noqa: ARG001 - its database
    """The office's settings with a store of its own, so that a backup has little to copy."""
    store = replace(settings.store, prefix=f"b{new_id().hex[-8:]}")
    Bucket.of(store).ensure_buckets()
    return replace(settings, store=store)


async def taken(settings: Settings, root: Path) -> Set:
    with own_pools():
        return await backup.back_up(settings, root)


def stored(settings: Settings, count: int) -> dict[str, bytes]:
    """Some derivatives in the office's store, by key."""
    bucket = Bucket.of(settings.store)
    made = {f"370000/{new_id()}/thumb-{n:03d}.jpg": os.urandom(900 + n) for n in range(count)}
    for key, raw in made.items():
        bucket.put(Room.DERIVATIVES, key, raw, "image/jpeg")
    return made


async def test_a_second_backup_copies_what_is_new(small: Settings, shelf: Path) -> None:
    stored(small, 5)
    first = await taken(small, shelf)
    new = stored(small, 2)
    second = await taken(small, shelf)
    counts = second.manifest.rooms[Room.DERIVATIVES]
    assert (counts.objects, counts.new_objects) == (7, 2)
    assert counts.new_bytes == sum(map(len, new.values()))
    assert checking.names(shelf) == [first.name, second.name]
    assert checking.open_set(shelf).name == second.name
    assert (checking.check(first), checking.check(second)) == (5, 7)
    assert len(files(shelf / OBJECTS)) == 7
    modes = {folder.stat().st_mode & 0o777 for folder in (shelf / SETS).iterdir()}
    assert modes == {0o700}


async def test_the_log_and_the_administrators_know_of_it(
    small: Settings, shelf: Path, owner: asyncpg.Connection
) -> None:
    found = await taken(small, shelf)
    body = await owner.fetchval(
        "select body from aud.entry where body ->> 'verb' = 'backup.taken'"
    )
    entry = msgspec.json.decode(body)
    sum_of_manifest = checking.sum_of(found.folder / MANIFEST).sha256
    assert (entry["object"]["id"], entry["after_sha"]) == (found.name, sum_of_manifest)
    run = (await upkeep.newest())["backup"]
    assert (run.ok, run.facts["set"]) == (True, found.name)
    assert upkeep.backed_up(run)[0]


async def test_rows_written_meanwhile_are_all_in_or_all_out(
    small: Settings, shelf: Path, clock: StillClock, owner: asyncpg.Connection
) -> None:
    """The dump and the counts beside it are of one instant, whatever is written meanwhile."""
    act = await world.the_product(clock())
    pools, stop = dict(DB.pools), asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            entry = audit.compose(act, "test.done", "test", act.new_id(), region=370000)
            async with pools["worker"].acquire() as other, other.transaction():
                await other.execute("set local app.regions = '370000'")
                await other.execute(audit.INSERT, 370000, entry.leaf, entry.body)

    writing = asyncio.create_task(write())
    found = await taken(small, shelf)
    stop.set()
    await writing
    text = dumped(found)
    rows = text.split(b"COPY aud.entry ")[1].split(b"\n\\.\n")[0].count(b"\n")
    assert rows == found.manifest.entries == found.manifest.tables["aud.entry"] > 0
    assert await owner.fetchval("select count(*) from aud.entry") > rows


async def test_files_of_documents_are_in_it_and_missed_when_gone(
    small: Settings, shelf: Path, work: Work, owner: asyncpg.Connection, clock: StillClock
) -> None:
    matter = await casework.a_matter(owner, clock())
    notice = await casework.served(matter, clock())
    stamp = Stamp(secret=os.urandom(16), origin="https://mingcha.invalid")
    act = matter.office.author.act(clock())
    await issuing.issue("order", notice.id, act=act, stamp=stamp)
    bucket = Bucket.of(small.store)
    while await printer.once(replace(work.context, bucket=bucket)):
        pass
    key, digest = await owner.fetchrow("select object_key, sha256 from document")
    found = await taken(small, shelf)
    assert (found.manifest.rooms[Room.EXPORTS].objects, found.manifest.damages) == (1, 0)
    assert digest in gzip.decompress((found.folder / LIST).read_bytes()).decode()
    bucket.remove(key)
    after = await taken(small, shelf)
    assert [(one.key, one.what, one.healed) for one in after.manifest.damaged] == [
        (key, "absent", True)
    ]


def dumped(found: Set) -> bytes:
    """A dump as SQL."""
    tool = find_install() / "bin" / "pg_restore"
    argv = [str(tool), "--file=-", str(found.folder / DUMP)]
    return subprocess.run(argv, check=True, capture_output=True).stdout


def numbers(text: bytes) -> list[bytes]:
    """Eighteen digits whose last one is right: what no backup may hold."""
    return [
        one
        for one in ID_NUMBER.findall(text)
        if b"10X98765432"[sum(map(int.__mul__, map(int, one[:17].decode()), WEIGHTS)) % 11]
        == one.upper()[17]
    ]


async def test_no_number_of_a_person_is_in_it(small: Settings, shelf: Path, desk: Desk) -> None:
    await desk.take("institutions", sheets.an_institution())
    await desk.take("classes", sheets.a_class())
    await desk.take("rosters", *(sheets.a_trainee(1, n) for n in range(1, 13)))
    await desk.take("inspectors", *(sheets.an_inspector(n) for n in (1, 2, 3)))
    found = await taken(small, shelf)
    assert numbers(b"a 11010519491231002X b") == [b"11010519491231002X"]
    text = dumped(found)
    assert "虚构学员3".encode() in text
    assert numbers(text) == []
    secrets = [file.read_bytes() for file in small.keys.glob("*.seed")]
    secrets += [word.encode() for word in small.database.passwords.values()]
    for file in files(shelf):
        raw = file.read_bytes()
        raw += gzip.decompress(raw) if file.name == LIST else b""
        assert numbers(raw) == []
        assert not any(one in raw or one in text for one in secrets), file
    assert b"COPY public.session_kv" not in text


async def test_a_cut_backup_is_none(
    small: Settings, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(small, 3)
    whole = await taken(small, shelf)
    for name in ("_objects", "_finish", "_publish"):
        with monkeypatch.context() as patched:
            patched.setattr(taking, name, _cut)
            with pytest.raises(OSError, match="cut"):
                await taken(small, shelf)
        assert checking.names(shelf) == [whole.name]
    left = shelf / SETS / ".20260302T010000Z"
    left.mkdir()
    shutil.copy2(whole.folder / MANIFEST, left)
    assert checking.names(shelf) == [whole.name]
    await taken(small, shelf)
    assert not left.exists()


def _cut(*_args: object) -> None:
    raise OSError("cut")


async def test_a_killed_backup_is_none(small: Settings, shelf: Path) -> None:
    stored(small, 40)
    env = {**os.environ, **office.to_environment(small)}
    argv = [sys.executable, "-m", "backend", "backup", "--to", str(shelf)]
    kills = 0
    for size in (1, 20):
        kills += await asyncio.to_thread(_killed, argv, env, shelf, size)
        if not checking.names(shelf):
            with pytest.raises(NoSet):
                checking.open_set(shelf)
    assert kills > 0
    found = await taken(small, shelf)
    assert checking.check(found) == 40


def _killed(argv: list[str], env: dict[str, str], shelf: Path, size: int) -> bool:
    """Kill a backup once it has copied so many objects; False when it was done before."""
    limit = time.monotonic() + 60
    with subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and len(files(shelf / OBJECTS)) < size:
            assert time.monotonic() < limit
            time.sleep(0.005)
        alive = process.poll() is None
        process.kill()
    return alive


async def test_old_sets_go_and_what_they_share_stays(small: Settings, shelf: Path) -> None:
    made = []
    for _ in range(3):
        stored(small, 1)
        made.append((await taken(small, shelf)).name)
    assert taking.thin(shelf, 2) == made[:1]
    assert checking.names(shelf) == made[1:]
    assert taking.thin(shelf, 0) == made[1:2]
    assert checking.check(checking.open_set(shelf)) == 3
    again = await taken(small, shelf)
    assert again.manifest.rooms[Room.DERIVATIVES].new_objects == 0


async def test_one_backup_at_a_time(small: Settings, shelf: Path) -> None:
    with taking._held(shelf), pytest.raises(TargetBusy):  # noqa: SLF001 - the lock itself
        await taken(small, shelf)


@pytest.mark.parametrize("name", [DUMP, LIST, MANIFEST, "object", "object gone"])
async def test_a_changed_byte_is_found(small: Settings, shelf: Path, name: str) -> None:
    stored(small, 2)
    found = await taken(small, shelf)
    file = found.folder / name
    if name.startswith("object"):
        file = files(shelf / OBJECTS)[0]
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    if name == "object gone":
        file.unlink()
    if name == MANIFEST:
        file.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(SetBroken):
        checking.check(checking.open_set(shelf))
    assert checking.check(await taken(small, shelf)) == 2


async def test_rows_that_a_policy_would_hide_stop_it(
    small: Settings, shelf: Path, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "create table hidden (i int); alter table hidden owner to mingcha_owner; alter table"
        " hidden enable row level security; alter table hidden force row level security"
    )
    try:
        with pytest.raises(HiddenRows) as refused:
            await taken(small, shelf)
        assert refused.value.facts["tables"] == ["hidden"]
    finally:
        await owner.execute("drop table hidden")
    assert checking.names(shelf) == []


async def test_a_tool_that_fails_is_a_refusal(small: Settings, shelf: Path) -> None:
    found = await taken(small, shelf)
    (found.folder / DUMP).write_bytes(b"no dump")
    with pytest.raises(ToolFailed) as refused:
        restoring.dump.load(find_install() / "bin", small.database, found.folder / DUMP)
    assert refused.value.facts["tool"] == "pg_restore"


def a_line(room: Room, key: str, raw_sha: str, version: str | None, at: object) -> Line:
    when = at if at is not None else None
    return Line(
        room=room,
        key=key,
        version=version,
        size=4,
        sha256=raw_sha,
        mime="image/jpeg",
        at=when,  # type: ignore[arg-type]
        seen=when,  # type: ignore[arg-type]
    )


async def test_damage_is_told_and_healed_from_an_earlier_backup(
    small: Settings, shelf: Path, clock: StillClock
) -> None:
    bucket, pool = Bucket.of(small.store), checking.Pool(shelf / OBJECTS)
    good, bad = pool.take([b"good"]), pool.take([b"bad!"])
    for key, raw in (("1/a/x", b"bad!"), ("1/b/x", b"bad!")):
        bucket.put(Room.DERIVATIVES, key, raw, "image/jpeg")
    items = {item.key: item for item in bucket.listed(Room.DERIVATIVES, versions=True)}
    copier = copying.Copier(bucket, Room.DERIVATIVES, pool, now=clock())

    def of(key: str, *, sha: str, listed: bool, known: bool) -> copying.Copied:
        before = a_line(Room.DERIVATIVES, key, sha, None, clock())
        return copier.copy(
            copying.Key(
                key,
                (items[key],) if listed else (),
                (Wanted(key, None, sha, 4),),
                (before,) if known else (),
            )
        )

    healed = of("1/a/x", sha=good.sha256, listed=True, known=True)
    assert [line.sha256 for line in healed.lines] == [good.sha256]
    assert [(one.what, one.healed) for one in healed.damaged] == [("altered", True)]
    lost = of("1/b/x", sha="0" * 64, listed=True, known=False)
    assert [line.sha256 for line in lost.lines] == [bad.sha256]
    assert [(one.what, one.healed) for one in lost.damaged] == [("altered", False)]
    gone = of("1/c/x", sha=good.sha256, listed=False, known=True)
    assert [line.sha256 for line in gone.lines] == [good.sha256]
    assert [(one.what, one.healed) for one in gone.damaged] == [("absent", True)]
    never = of("1/d/x", sha=good.sha256, listed=False, known=False)
    assert (never.lines, [one.healed for one in never.damaged]) == ((), [False])


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("iwk")), max_size=30))
def test_three_lists_are_read_side_by_side(pairs: list[tuple[str, str]]) -> None:
    """Every row comes out once, with its key, in the order of keys; versions from the oldest."""
    items = [Item(key, str(n), n, None) for n, (key, kind) in enumerate(pairs) if kind == "i"]
    wanted = [Wanted(key, None, "", n) for n, (key, kind) in enumerate(pairs) if kind == "w"]
    known = [
        a_line(Room.ORIGINALS, key, "", str(n), None)
        for n, (key, kind) in enumerate(pairs)
        if kind == "k"
    ]
    for rows in (items, wanted, known):
        rows.sort(key=lambda row: row.key)
    found = list(copying.side_by_side(items, wanted, known))
    assert [one.key for one in found] == sorted({key for key, _ in pairs})
    assert [item for one in found for item in reversed(one.items)] == items
    assert [row for one in found for row in one.wanted] == wanted
    assert [row for one in found for row in one.known] == known


def test_keys_are_sealed_apart_from_the_backup(
    small: Settings, shelf: Path, tmp_path: Path
) -> None:
    ring = open_keyring(small.keys)
    secret = tmp_path / "passphrase"
    secret.write_text("twelve horses\n", "utf-8")
    with pytest.raises(KeysInside):
        backup.keep_keys(small, shelf / "keys.box", secret, shelf)
    box = tmp_path / "keys.box"
    backup.keep_keys(small, box, secret, shelf)
    assert not any(file.read_bytes() in box.read_bytes() for file in small.keys.glob("*.seed"))
    keybox.unseal(box.read_bytes(), "twelve horses", tmp_path / "back")
    assert keybox.marks(open_keyring(tmp_path / "back")) == keybox.marks(ring)
    with pytest.raises(PassphraseWrong):
        keybox.unseal(box.read_bytes(), "twelve mules.", tmp_path / "other")
    with pytest.raises(PassphraseWrong):
        keybox.unseal(box.read_bytes()[:-1], "twelve horses", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(PassphraseShort):
        keybox.seal(small.keys, "short", salt=bytes(16))


async def test_old_stamps_are_still_believed(small: Settings, shelf: Path, tmp_path: Path) -> None:
    """The lost office's authority stands beside the new one's; an operator's file stays."""
    old, new = tmp_path / "old.pem", tmp_path / "office" / "new.pem"
    new.parent.mkdir()
    old.write_bytes(b"old\n")
    new.write_bytes(b"new\n")
    found = await taken(replace(small, tsa_roots=old), shelf)
    assert set(found.manifest.files) == {DUMP, LIST, STAMP_ROOTS}
    for _ in range(2):
        restore.trust_old_stamps(found, replace(small, tsa_roots=new), new.parent)
        assert new.read_bytes() == b"new\nold\n"
    restore.trust_old_stamps(found, replace(small, tsa_roots=old), new.parent)
    assert old.read_bytes() == b"old\n"


async def test_a_restore_wants_an_empty_folder_a_whole_set_and_the_right_keys(
    small: Settings, shelf: Path, tmp_path: Path
) -> None:
    found = await taken(small, shelf)

    def asked(data: Path, keys: Path) -> Namespace:
        return Namespace(data=data, source=shelf, set=None, keys=keys, keys_file=None)

    full = tmp_path / "full"
    full.mkdir()
    (full / "something").touch()
    with pytest.raises(NotEmpty):
        restore.prepared(asked(full, small.keys))
    assert files(full) == [full / "something"]
    open_keyring(tmp_path / "others")
    with pytest.raises(KeysOther):
        restore.prepared(asked(tmp_path / "one", tmp_path / "others"))
    (found.folder / DUMP).write_bytes(b"no dump")
    with pytest.raises(SetBroken):
        restore.prepared(asked(tmp_path / "two", small.keys))
    assert not (tmp_path / "two").exists()
    shutil.rmtree(found.folder)
    with pytest.raises(NoSet):
        restore.prepared(asked(tmp_path / "two", small.keys))

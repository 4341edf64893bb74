"""`mingcha restore`: an office from a backup, into an empty folder, on embedded servers."""

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from backend import clock
from backend.commands import office
from backend.commands.backup import explained, passphrase
from backend.embedded.postgres import find_install
from backend.embedded.supervisor import start
from backend.keyring import KeysUnreadable, open_keyring
from backend.piccolo_conf import DB
from backend.services.act import Act, system
from backend.services.backups import checking, keybox, restoring
from backend.services.backups.checking import STAMP_ROOTS, Set
from backend.services.backups.errors import KeysOther, NotEmpty, OtherOrigin
from backend.services.backups.restoring import Report, Target
from backend.services.errors import REFUSALS
from backend.services.occurrences import NATION
from backend.settings import Role, Settings
from media.bucket import Bucket

ROLES: tuple[Role, ...] = ("owner", "worker", "seq", "app")


def prepared(args: argparse.Namespace) -> Set:
    """A checked set, and a target folder that holds nothing but our mark and the keys.

    Raises: NotEmpty, NoSet, SetBroken, PassphraseWrong, KeysOther.
    """
    data: Path = args.data
    if data.exists() and any(data.iterdir()):
        raise NotEmpty(folder=str(data))
    found = checking.open_set(args.source, args.set)
    checking.check(found)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    office.mark_unfinished(data)
    keys = data / "keys"
    if args.keys_file:
        keybox.unseal(args.keys_file.read_bytes(), passphrase(args.passphrase_file), keys)
    else:
        keys.mkdir(mode=0o700)
        for seed in sorted(args.keys.glob("*.seed")):
            shutil.copy2(seed, keys / seed.name)
    if len(list(keys.glob("*.seed"))) == 0:
        raise KeysOther(folder=str(args.keys or args.keys_file))
    restoring.require_keys(found, open_keyring(keys))
    return found


def trust_old_stamps(found: Set, settings: Settings, data: Path) -> None:
    """Hold stamps also to the authority of the lost office; an operator's own file stays as it is.

    An embedded office makes a development authority of its own, which did not sign the old ones.
    """
    old, new = found.folder / STAMP_ROOTS, settings.tsa_roots
    if new is None or not old.exists() or not new.is_relative_to(data.absolute()):
        return
    known = new.read_bytes()
    if old.read_bytes() not in known:
        new.write_bytes(known + old.read_bytes())


async def bring_back(found: Set, settings: Settings) -> Report:
    """Fill the servers that these settings name."""
    await DB.open({role: settings.database.dsn(role) for role in ROLES}, size=2)
    try:
        target = Target(
            settings=settings,
            bucket=Bucket.of(settings.store),
            keys=open_keyring(settings.keys),
            binaries=find_install() / "bin",
        )
        act = Act(by=system((NATION,), NATION), at=clock.now(), new_id=clock.new_id)
        return await restoring.restore(found, target, act=act, clock=clock.now)
    finally:
        await DB.close()


def told(report: Report) -> str:
    """What came back, and what two administrators must do next."""
    zh = (
        f"已恢复 {report.name}（{report.taken_at:%Y-%m-%d %H:%M} UTC）：{report.rows} 行，"
        f"{report.objects} 个对象逐一核对哈希，日志 {report.log_size} 条验证无误，"
        f"另有 {report.pending} 条待编号。"
    )
    en = (
        f"Restored {report.name}: {report.rows} rows, {report.objects} objects hashed one by one, "
        f"a log of {report.log_size} entries verified, {report.pending} more waiting."
    )
    todo = (
        "下一步：启动系统，由三员中两类角色的两个人执行 mingcha recovery propose / approve，"
        "此前证据不封存；手机会自动补传备份之后的记录。\n"
        "Next: start the office; two administrators of different roles run mingcha recovery "
        "propose / approve. Until then nothing is sealed. Phones send again what came later."
    )
    return f"{zh}\n{en}\n{todo}"


def main(args: argparse.Namespace) -> int:
    """0 only when everything came back and was proved; else the folder stays marked."""
    try:
        found = prepared(args)
        origin = f"http://127.0.0.1:{args.port}"
        with start(args.data / "servers", origin=origin) as running:
            for notice in running.notices:
                print(notice["zh"], notice["en"])
            settings = office.settings_of(running, args.data, origin)
            if settings.log_origin != found.manifest.log_origin:
                raise OtherOrigin(origin=found.manifest.log_origin)
            trust_old_stamps(found, settings, args.data)
            report = asyncio.run(bring_back(found, settings))
            office.remember(settings, args.data)
    except (*REFUSALS, KeysUnreadable) as refusal:
        print(explained(refusal), file=sys.stderr)
        return 1
    office.unmark(args.data)
    print(told(report))
    return 0

"""`mingcha backup`: a whole copy of a working office; `--check` reads the newest one back.

`--every 240 --keep 400` takes one every four minutes and keeps the sets of a day.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from backend import clock
from backend.commands import office
from backend.embedded.postgres import find_install
from backend.keyring import open_keyring
from backend.piccolo_conf import DB
from backend.services import offices
from backend.services.act import Act, system
from backend.services.backups import checking, keybox, taking
from backend.services.backups.checking import Set
from backend.services.backups.errors import KeysInside
from backend.services.errors import REFUSALS
from backend.services.occurrences import NATION
from backend.services.texts import wording
from backend.settings import Role, Settings, SettingsWrong, from_environment
from media.bucket import Bucket

ROLES: tuple[Role, ...] = ("owner", "app", "worker")


def explained(refusal: Exception) -> str:
    """A refusal in both tongues, with its facts."""
    code = getattr(refusal, "code", "fault")
    facts = ", ".join(f"{name}: {value}" for name, value in getattr(refusal, "facts", {}).items())
    zh, en = (wording(code, tongue) for tongue in ("zh", "en"))
    return f"{zh.title}：{zh.todo}\n{en.title}: {en.todo}\n{facts} [{code}]"


def passphrase(file: Path) -> str:
    """The first line of the file that holds it."""
    return file.read_text("utf-8").splitlines()[0].strip()


def keep_keys(settings: Settings, file: Path, secret: Path, root: Path) -> None:
    """Write the keys, sealed, to a file outside the backup; raises KeysInside, PassphraseShort."""
    if file.resolve().is_relative_to(root.resolve()):
        raise KeysInside(file=str(file))
    sealed = keybox.seal(settings.keys, passphrase(secret), salt=clock.token(keybox.SALT))
    file.touch(mode=0o600)
    file.write_bytes(sealed)


async def back_up(settings: Settings, root: Path) -> Set:
    """Take one backup of the office that these settings name."""
    await DB.open({role: settings.database.dsn(role) for role in ROLES}, size=2)
    try:
        regions = await offices.every_region()
        source = taking.Source(
            settings=settings,
            bucket=Bucket.of(settings.store),
            keys=open_keyring(settings.keys),
            binaries=find_install() / "bin",
        )
        act = Act(by=system(regions, NATION), at=clock.now(), new_id=clock.new_id)
        return await taking.take(source, root, act=act, clock=clock.now)
    finally:
        await DB.close()


def told(found: Set) -> str:
    """What the backup holds, in both tongues; damage is never silent."""
    made = found.manifest
    objects = sum(room.objects for room in made.rooms.values())
    new = sum(room.new_objects for room in made.rooms.values())
    rows = sum(made.tables.values())
    zh = f"备份完成 {found.name}：{rows} 行，{objects} 个对象（新增 {new} 个）"
    en = f"Backup {found.name}: {rows} rows, {objects} objects ({new} new)"
    lines = [f"{zh}，日志 {made.head_size} 条已签名。", f"{en}, {made.head_size} signed entries."]
    lines += [
        f"损坏 DAMAGED {one.room} {one.key}: {one.what}"
        + ("（已由此前备份补齐 healed from an earlier backup）" if one.healed else "")
        for one in made.damaged
    ]
    return "\n".join(lines)


def main(args: argparse.Namespace) -> int:
    """0 when the backup is whole and nothing in the store is damaged; with ``--every`` no end."""
    settings = office.recall(args.data) or from_environment()
    if "owner" not in settings.database.passwords:
        raise SettingsWrong("MINGCHA_DB_PASSWORD_OWNER is not set; only the owner sees every row.")
    code = _once(args, settings)
    while args.every:
        time.sleep(args.every)
        code = _once(args, settings)
    return code


def _once(args: argparse.Namespace, settings: Settings) -> int:
    try:
        if args.check:
            found = checking.open_set(args.to)
            print(f"{found.name}: {checking.check(found)} objects hash as they must")
            return 0
        if args.keys_to:
            keep_keys(settings, args.keys_to, args.passphrase_file, args.to)
        found = asyncio.run(back_up(settings, args.to))
        if args.keep:
            taking.thin(args.to, args.keep)
    except REFUSALS as refusal:
        print(explained(refusal), file=sys.stderr)
        return 1
    print(told(found))
    kept = args.keys_to or settings.keys
    print(f"密钥不在备份之内，请另行妥善保存 Keys are NOT in it; keep them elsewhere: {kept}")
    return 1 if found.manifest.damages else 0

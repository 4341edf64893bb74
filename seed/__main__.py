"""`python -m seed`: play the fictional year on real servers, print it, serve it."""

import argparse
import asyncio
import fcntl
import os
import shutil
import sys
from pathlib import Path

import msgspec

from backend.commands import office
from backend.embedded import state
from backend.embedded.errors import EmbeddedRefusal
from backend.embedded.supervisor import LOCK, Running, start
from backend.services.schema import migrate
from backend.settings import Settings
from media.bucket import Bucket
from seed import play, report, stage, tour, verify, world
from seed.report import Report

INTEGER = 2026
MARKER = "played.json"
TOUR = "tour.json"
SERVERS, KEYS = "servers", "keys"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m seed", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="where servers keep their data")
    parser.add_argument("--fresh", action="store_true", help="forget the year and play it anew")
    parser.add_argument("--once", action="store_true", help="check the numbers, do not serve on")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--integer", type=int, default=INTEGER, help="another makes another year")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)


def _in_use(data: Path) -> bool:
    """Whether servers run on these data; they must not be wiped under them."""
    lock = data / SERVERS / LOCK
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _wipe(data: Path) -> None:
    """Remove what an earlier or interrupted play left, and nothing else."""
    (data / MARKER).unlink(missing_ok=True)
    held = state.load(data / SERVERS)
    if held is not None and held.home:
        shutil.rmtree(held.home, ignore_errors=True)
    for name in (SERVERS, KEYS):
        shutil.rmtree(data / name, ignore_errors=True)


def _read(data: Path, integer: int) -> Report | None:
    """The report of a year that was played to its end, None for any other."""
    try:
        found = msgspec.json.decode((data / MARKER).read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.integer == integer else None


async def _play(settings: Settings, integer: int) -> Report:
    await migrate(settings.database)
    await asyncio.to_thread(Bucket.of(settings.store).ensure_buckets)
    async with stage.opened(settings, integer, start=play.STARTS_ON) as opened:
        played = await play.play(opened, world.make(integer), say=_say)
        return report.make(opened, played)


def _keep(data: Path, told: Report) -> None:
    """Write the marker last and at once: with it the year is whole."""
    fresh = data / f"{MARKER}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(msgspec.json.encode(told))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(data / MARKER)


def _on(running: Running, args: argparse.Namespace, told: Report | None) -> int:
    """With servers running: play unless it was played, print, serve."""
    data, origin = args.data, f"http://127.0.0.1:{args.port}"
    for notice in running.notices:
        _say(str(notice))
    settings = office.settings_of(running, data, origin)
    if told is None:
        stage.lay_keys(settings.keys, args.integer)
        told = asyncio.run(_play(settings, args.integer))
        _keep(data, told)
    else:  # a year that an older version played
        asyncio.run(migrate(settings.database))
    settings = msgspec.structs.replace(settings, tour=tour.lay(told, data / TOUR))
    office.remember(settings, data)
    report.show(told, origin, _say)
    office.serve(running, settings, args.port, log=data / "app.log")
    if args.once:
        compared = verify.verify(told, origin)
        _say(f"\n{compared} 个数字与接口一致，{len(told.logins)} 个登录可用"
             f" numbers equal what the API says, logins work")  # fmt: skip
        return 0
    _say("\nCtrl-C 停止 stops")
    return office.wait(running)


def main() -> int:
    """Play or serve again; 0 when stopped, 1 with a sentence when something is missing."""
    args = _arguments()
    args.data = args.data.absolute()
    if office.answers(args.port):
        _say(f"端口 {args.port} 已被占用，请用 --port 换一个"
             f" port {args.port} is taken: choose another with --port")  # fmt: skip
        return 1
    if _in_use(args.data):
        _say(f"{args.data} 正在使用 is in use: stop the other run first")
        return 1
    told = None if args.fresh else _read(args.data, args.integer)
    if told is None:
        _wipe(args.data)
    try:
        with start(args.data / SERVERS, origin=f"http://127.0.0.1:{args.port}") as running:
            return _on(running, args, told)
    except EmbeddedRefusal as refusal:
        _say(f"{refusal.zh} {refusal.en}")
    except (stage.Stuck, verify.Differs) as stuck:
        _say(f"演示中断 the play stopped: {stuck}")
    return 1


if __name__ == "__main__":
    sys.exit(main())

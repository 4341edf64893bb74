"""`mingcha recovery`: how the log's signing stands; two administrators let it go on."""

import argparse
import asyncio
import getpass
import sys

from backend import clock
from backend.commands import office
from backend.piccolo_conf import DB
from backend.services import accounts, recovery
from backend.services.act import Act
from backend.services.errors import ServiceRefusal
from backend.services.recovery import Recovery
from backend.services.texts import wording
from backend.settings import Role, Settings, from_environment


def told(found: Recovery | None) -> str:
    """The standing in one line of each tongue."""
    if found is None:
        return "日志正在签名，无须恢复。 The log signs; there is nothing to recover from."
    published = "?" if found.known_size is None else found.known_size
    zh = f"日志已停止签名（{found.cause}）：库内 {found.size} 条，已公布 {published} 条"
    en = f"signing is halted ({found.cause}): {found.size} entries here, {published} published"
    if found.proposed_by is None:
        return f"{zh}；尚无人提出恢复。 {en}; nobody has proposed a recovery."
    return f"{zh}；{found.proposed_role} 已提出。 {en}; proposed by {found.proposed_role}."


def _password() -> str:
    """Typed unseen, or a line of what is piped in."""
    if sys.stdin.isatty():
        return getpass.getpass()
    return sys.stdin.readline().rstrip("\n")


async def carry_out(args: argparse.Namespace, settings: Settings) -> Recovery | None:
    """Look, propose or approve; raises what the services refuse."""
    roles: tuple[Role, ...] = ("app", "worker", "public")
    await DB.open({role: settings.database.dsn(role) for role in roles}, size=2)
    try:
        if args.what == "status":
            return await recovery.halted()
        at = clock.now()
        person = await accounts.sign_in(args.login, _password(), at=at)
        act = Act(by=person, at=at, new_id=clock.new_id)
        if args.what == "propose":
            return await recovery.propose(args.reason, act=act)
        return await recovery.approve(act=act, base=settings.log_origin)
    finally:
        await DB.close()


def main(args: argparse.Namespace) -> int:
    """Print how it stands; 1 while the signing is halted or when something is refused."""
    if args.what != "status" and not (args.login and (args.reason or args.what == "approve")):
        print("请给出 --login（提出时还有 --reason）。 Give --login, and --reason to propose.")
        return 1
    try:
        found = asyncio.run(carry_out(args, office.recall(args.data) or from_environment()))
    except ServiceRefusal as refusal:
        zh, en = (wording(refusal.code, tongue) for tongue in ("zh", "en"))
        print(f"{zh.title}：{zh.todo} {en.title}: {en.todo}", file=sys.stderr)
        return 1
    if found is not None and found.origin is not None:
        print(f"日志将以新纪元继续签名 The log goes on as {found.origin}")
        return 0
    print(told(found))
    return 0 if found is None else 1

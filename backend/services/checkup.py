"""What `mingcha doctor` asks the database: roles nobody holds, stuck work, the log's lag."""

from datetime import datetime, timedelta

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import log_checks, offices, policy, recovery, upkeep
from backend.services.accounts import on_day
from backend.services.recovery import Recovery

LAG = timedelta(minutes=1)
STUCK = """
select count(*) filter (where attempts >= max_attempts) as parked,
  count(*) filter (where attempts < max_attempts and run_at < $1) as late
from task where done_at is null
"""
PENDING = "select count(*) from aud.entry where tree_index is null and body ->> 't' < $1"
HELD = """
select distinct role from role_assignment
where revoked_at is null and valid_from <= $1 and (valid_until is null or valid_until >= $1)
"""


class Finding(msgspec.Struct, frozen=True):
    """One line: ``ok`` is False when somebody must do what the sentence says."""

    part: str
    ok: bool
    zh: str
    en: str


async def checkup(*, at: datetime) -> list[Finding]:
    """Look at everything; changes nothing."""
    regions = await offices.every_region()
    async with DB.transaction(Scope(regions=regions, role="worker"), readonly=True):
        held = {row["role"] for row in await DB.connection.fetch(HELD, on_day(at))}
        stuck = await DB.connection.fetchrow(STUCK, at - LAG)
        before = str(int((at - LAG).timestamp() * 1000))
        pending = await DB.connection.fetchval(PENDING, before)
        anchored = await log_checks.standing(at=at)
    halt, runs = await recovery.halted(), await upkeep.newest()
    return [
        Finding(
            "database",
            ok=bool(regions),
            zh=f"数据库可用，行政区划 {len(regions)} 条",
            en=f"the database answers and knows {len(regions)} regions",
        ),
        _roles(sorted(policy.ROLES - held)),
        Finding(
            "tasks",
            ok=not (stuck["parked"] or stuck["late"]),
            zh=f"任务：{stuck['parked']} 个已搁置，{stuck['late']} 个迟到一分钟以上",
            en=f"tasks: {stuck['parked']} parked, {stuck['late']} late by more than a minute",
        ),
        Finding(
            "audit log",
            ok=not pending,
            zh=f"审计日志：{pending} 条超过一分钟未封存",
            en=f"audit log: {pending} entries unsealed for more than a minute",
        ),
        _signing(halt),
        *(Finding(part, ok=ok, zh=zh, en=en) for part, ok, zh, en in anchored),
        Finding("scrub", *upkeep.scrubbed(runs.get("scrub"), at=at)),
        Finding("backup", *upkeep.backed_up(runs.get("backup"))),
    ]


def _signing(halt: Recovery | None) -> Finding:
    if halt is None:
        return Finding("signing", ok=True, zh="审计日志正在签名", en="the audit log signs")
    published = "?" if halt.known_size is None else halt.known_size
    return Finding(
        "signing",
        ok=False,
        zh=f"审计日志已停止签名（{halt.cause}）：库内 {halt.size} 条，已公布 {published} 条；"
        "请三员中两类角色的两个人执行 mingcha recovery",
        en=f"the audit log is halted ({halt.cause}): {halt.size} entries, {published} published;"
        " two administrators of different roles run mingcha recovery",
    )


def _roles(unfilled: list[str]) -> Finding:
    if not unfilled:
        return Finding("roles", ok=True, zh="所有角色都有人担任", en="every role is held")
    names = ", ".join(unfilled)
    return Finding(
        "roles",
        ok=False,
        zh=f"以下角色无人担任，请安全管理员指派：{names}",
        en=f"nobody holds these roles; let the security administrator assign them: {names}",
    )

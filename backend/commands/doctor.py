"""`mingcha doctor`: the state of every part, with what to do about each."""

import argparse
import asyncio
import platform
from collections.abc import Iterator
from importlib.metadata import version

import asyncpg

from backend import clock
from backend.commands import office
from backend.embedded.describe import describe
from backend.piccolo_conf import DB
from backend.services import checkup
from backend.services.checkup import Finding
from backend.settings import Settings
from inspection_plans.errors import RuleRefusal
from inspection_plans.loader import load
from media.bucket import Bucket
from media.errors import MediaRefusal
from media.scanner import Scanner

SCANNER_S = 5.0
LIBRARIES = ("litestar", "piccolo", "asyncpg", "minio", "pillow", "apscheduler")


def programs() -> Iterator[Finding]:
    """Python and the libraries that carry the product."""
    words = f"Python {platform.python_version()}; " + ", ".join(
        f"{name} {version(name)}" for name in LIBRARIES
    )
    yield Finding("programs", ok=True, zh=words, en=words)


def rules() -> Finding:
    """Whether all rules' files can be read."""
    try:
        count = len(load().clauses)
    except RuleRefusal as refusal:
        return Finding("rules", ok=False, zh=f"规则文件有误：{refusal}", en=f"rules: {refusal}")
    return Finding("rules", ok=True, zh=f"规则 {count} 条可用", en=f"{count} clauses are readable")


async def database(settings: Settings) -> list[Finding]:
    """What the database says, or that it does not answer."""
    try:
        await DB.open(
            {role: settings.database.dsn(role) for role in ("app", "worker", "public")}, size=2
        )
        return await checkup.checkup(at=clock.now())
    except (OSError, asyncpg.PostgresError) as fault:
        return [
            Finding(
                "database",
                ok=False,
                zh=f"数据库没有应答：{fault}；请启动服务或检查 MINGCHA_DB_* 设置",
                en=f"the database does not answer: {fault}; start it or check MINGCHA_DB_*",
            )
        ]
    finally:
        await DB.close()


def store(settings: Settings) -> Finding:
    """Whether the object store answers with our keys."""
    try:
        Bucket.of(settings.store).check()
    except MediaRefusal as refusal:
        return Finding(
            "object store",
            ok=False,
            zh=f"对象存储没有应答：{refusal.facts}；请启动服务或检查 MINGCHA_S3_* 设置",
            en=f"the object store is silent: {refusal.facts}; start it or check MINGCHA_S3_*",
        )
    return Finding("object store", ok=True, zh="对象存储可用", en="the object store answers")


def scanner(settings: Settings) -> Finding:
    """Whether a virus scanner answers; without one every file is said to be not scanned."""
    if not settings.clamd:
        return Finding(
            "scanner",
            ok=True,
            zh="未配置病毒扫描：每份文件都标注“未扫描”；如需扫描请设置 MINGCHA_CLAMD",
            en="no virus scanner: every file says not scanned; set MINGCHA_CLAMD to have one",
        )
    said = Scanner(settings.clamd, wait_s=SCANNER_S).scan(())
    if said.state == "clean":
        return Finding("scanner", ok=True, zh="病毒扫描可用", en="the virus scanner answers")
    return Finding(
        "scanner",
        ok=False,
        zh=f"病毒扫描没有应答（{said.detail}）：新文件标注“未扫描”；请检查 MINGCHA_CLAMD",
        en=f"the virus scanner is silent ({said.detail}): new files say not scanned",
    )


def findings(args: argparse.Namespace) -> Iterator[Finding]:
    """Every part in turn: programs, rules, embedded servers, then what runs."""
    yield from programs()
    yield rules()
    for part in describe(args.data / "servers"):
        yield Finding(part.name, part.ok, part.zh, part.en)
    settings = office.recall(args.data)
    if settings is None:
        words = "no office has run on these data yet; make run starts one"
        yield Finding("office", ok=True, zh="此目录尚无单位运行过；make run 可启动", en=words)
        return
    yield from asyncio.run(database(settings))
    yield store(settings)
    yield scanner(settings)


def main(args: argparse.Namespace) -> int:
    """Print one line a part; 0 when nobody must do anything."""
    healthy = True
    for finding in findings(args):
        print(f"{'ok  ' if finding.ok else '需处理'}  {finding.part:14} {finding.zh}")
        print(f"{'':22} {finding.en}")
        healthy = healthy and finding.ok
    return 0 if healthy else 1

"""What the year came to: a table whose every number says where the API has it, and the logins."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping

import msgspec

from seed import people
from seed.field import PROVINCES
from seed.people import OFFICES
from seed.play import Played
from seed.stage import Stage
from seed.world import SHANDONG

PUBLIC = "public"
STATISTICS = "/api/v1/statistics"
EACH_VISIT = "/api/v1/visits/{each}/evidence"
COUNTED = (
    ("institutions", "", "机构 institutions"),
    ("inspectors", "", "执法检查人员 inspectors"),
    ("training_classes", "", "在训班次 classes"),
    ("trainees", "", "学员 trainees"),
    ("filings", "accepted", "已接收备案 filings accepted"),
    ("plans", "closed", "已执行计划 plans carried out"),
    ("draws", "published", "已公开抽取 draws opened"),
    ("visits", "concluded", "已办结现场检查 visits concluded"),
    ("evidence", "sealed", "已封存证据 evidence sealed"),
    ("findings", "", "问题 findings"),
    ("findings_by_severity", "critical", "  其中严重 of them critical"),
    ("findings", "corrected", "  已改正 corrected"),
    ("findings", "dismissed", "  不成立 dismissed"),
    ("findings", "open", "  未改正 still open"),
    ("notices", "", "通知书 notices"),
    ("notices", "closed", "  已销号 closed"),
    ("notices", "second_order", "  再次责令 ordered again"),
    ("notices", "case", "  转立案 became a case"),
    ("replies", "", "机构答复 replies"),
    ("cases", "", "案件 cases"),
    ("publications", "", "公示 publications"),
    ("publications", "corrected", "  已更正 corrected"),
    ("import_runs", "imported", "导入文件 files imported"),
)
ROLES = {
    "supervisor": "督导员", "approver": "批准人", "legal": "法制审核员", "publisher": "公示员",
    "integrator": "数据接口", "expert": "技术专家", "sysadmin": "系统管理员",
    "secadmin": "安全管理员", "auditadmin": "审计管理员", "inspector": "检查人员",
    "institution_user": "机构用户",
}  # fmt: skip


class Line(msgspec.Struct, frozen=True):
    """One row: numbers by who asks (a login, or the public), the path, and where in its answer.

    ``pick`` is dotted; ``#`` is the length of a list. ``{each}`` in a path sums over all visits.
    """

    name: str
    numbers: dict[str, int]
    path: str
    pick: str


class Access(msgspec.Struct, frozen=True):
    """A login to print."""

    login: str
    role: str
    office: str


class Report(msgspec.Struct, frozen=True):
    """The whole year on one page; stored beside the data, read again when it is served again."""

    integer: int
    seconds: float
    password: str
    lines: tuple[Line, ...]
    logins: tuple[Access, ...]
    tip_code: str = ""


def supervisor(province: int) -> str:
    """The login that asks for a province's numbers."""
    return f"supervisor.{people.PINYIN[province]}"


def make(stage: Stage, played: Played) -> Report:
    """The report of what was played."""
    return Report(
        integer=stage.integer,
        seconds=round(played.seconds, 1),
        password=people.password(stage),
        lines=tuple(_lines(played)),
        logins=tuple(
            Access(one.login, ROLES[one.role], people.OFFICES[_office(one.region)][0])
            for one in played.logins
        ),
        tip_code=played.watched.tip_code,
    )


def _office(region: int) -> int:
    return region if region in OFFICES else region // 10000 * 10000


def _lines(played: Played) -> Iterator[Line]:
    for noun, part, name in COUNTED:
        numbers = {}
        for province in PROVINCES:
            count = played.counts[province][noun]
            numbers[supervisor(province)] = count.by.get(part, 0) if part else count.total
        yield Line(name, numbers, STATISTICS, f"{noun}.by.{part}" if part else f"{noun}.total")
    yield Line("现场照片 pictures taken", _pictures(played), EACH_VISIT, "evidence.#")
    if wrong := played.imported.wrong:
        cells = {supervisor(SHANDONG): wrong.error_count}
        path = f"/api/v1/imports/{wrong.id}"
        yield Line("试导入报错单元格 wrong cells", cells, path, "error_count")
    for name, total, path in (
        ("公众可见公示 public pages", played.published.standing, "publications"),
        ("公众可复核抽取 public draws", len(played.planned), "draws"),
    ):
        yield Line(name, {PUBLIC: total}, f"/api/v1/public/{path}?limit=200", "#")
    size = played.log_size
    yield Line(
        "审计日志条目 log entries",
        {PUBLIC: size},
        f"/api/v1/log/proof/consistency?old={size}&new={size}",
        "new",
    )


def _pictures(played: Played) -> dict[str, int]:
    taken = dict.fromkeys(map(supervisor, PROVINCES), 0)
    for trip in played.trips:
        taken[supervisor(trip.region // 10000 * 10000)] += len(trip.captures)
    return taken


def show(report: Report, origin: str, say: Callable[[str], None]) -> None:
    """Print the table, the addresses and the logins."""
    say(f"\n虚构的 2026 年（整数 {report.integer}）已演完 the fictional year has been played"
        f" in {report.seconds} s\n")  # fmt: skip
    columns = [supervisor(province) for province in PROVINCES]
    heads = ["山东", "山西", "黑龙江", "公众"]
    say(_padded("", 34) + "".join(_padded(head, 8) for head in heads) + "GET → 字段 field")
    for line in report.lines:
        cells = [_cell(line.numbers, column) for column in (*columns, PUBLIC)]
        row = "".join(_padded(cell, 8) for cell in cells)
        say(f"{_padded(line.name, 34)}{row}{line.path} → {line.pick}")
    say(f"\n登录 logins（口令 password: {report.password}）")
    for access in report.logins:
        say(f"  {_padded(access.login, 32)}{_padded(access.role, 14)}{access.office}")
    if report.tip_code:
        say(f"\n举报查询码 return code of a tip: {report.tip_code}  {origin}/tips/answer")
    say(f"\n从这里开始 start {origin}/tour")
    say(f"公众页面 public   {origin}/\n工作台 desk       {origin}/desk"
        f"\n接口 API          {origin}/api/schema/openapi.json")  # fmt: skip


def _cell(numbers: Mapping[str, int], column: str) -> str:
    return str(numbers[column]) if column in numbers else "·"


def _padded(text: str, width: int) -> str:
    """Left-aligned on a terminal, where a Chinese sign takes two columns."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return text + " " * max(width - len(text) - wide, 1)

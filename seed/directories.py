"""Act 1: directories come in as XLSX files, item lists and allocations are filed."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from backend.services import directories, exports, filings, imports
from backend.services.records.imports import ImportRun
from seed import people
from seed.people import Cast
from seed.stage import Stage, Stuck
from seed.world import HEILONGJIANG, NAMED, SHANDONG, SHANXI, WEIHAI, YEAR, World

ALLOCATED = 2024  # the year of Shanxi's notice
ITEMS = (
    ("TI-SITE", "数字技术工程师培训机构检查", "training_institution", "1/20"),
    ("EI-SITE", "数字技术工程师评价机构检查", "evaluation_institution", "1/20"),
    ("CV-CLASS", "在训班次检查", "class_session", "1/5"),
)
LAW = "《中华人民共和国职业教育法》第十一条"
AUTHORITY = "县级以上人民政府人力资源社会保障主管部门"
LIST = "items"
BAD_REGION = "999999"


@dataclass
class Imported:
    """What the import runs said."""

    files: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    wrong: ImportRun | None = None

    @property
    def bad_cells(self) -> int:
        """How many cells of the bad file were wrong."""
        return self.wrong.error_count if self.wrong else 0

    @property
    def bad_lines(self) -> list[str]:
        """What the office was told of the bad file, a line a cell."""
        told = self.wrong.errors if self.wrong else ()
        return [f"第 {one.row} 行 {one.column} 列 {one.key}：{one.reason_zh}" for one in told]


async def bring_in(stage: Stage, cast: Cast, world: World) -> Imported:
    """Each province imports its files: a dry run first, then for good; one file is bad."""
    done = Imported()
    done.wrong = await _bad_file(stage, cast, world)
    for region in cast.offices:
        await _count(done, stage, cast, LIST, region, _items())
    for province in (SHANDONG, SHANXI, HEILONGJIANG):
        for kind in imports.kinds():
            if kind != LIST:
                await _count(done, stage, cast, kind, province, world.of(kind, province))
    return done


def _items() -> list[dict[str, str]]:
    """What every office checks, each with the act of law it rests on."""
    return [
        {
            "code": code,
            "title": title,
            "law_basis": LAW,
            "competent_authority": AUTHORITY,
            "object_kind": kind,
            "way": "on_site",
            "ratio": ratio,
            "frequency_cap": "2",
        }
        for code, title, kind, ratio in ITEMS
    ]


async def _count(
    done: Imported,
    stage: Stage,
    cast: Cast,
    kind: str,
    region: int,
    rows: list[dict[str, str]],
) -> None:
    await _file(stage, cast, kind, region, rows)
    done.files += 1
    done.rows[kind] = done.rows.get(kind, 0) + len(rows)


async def _file(
    stage: Stage, cast: Cast, kind: str, region: int, rows: list[dict[str, str]]
) -> None:
    content = await asyncio.to_thread(exports.write, kind, rows, "xlsx")
    for dry_run in (True, False):
        run = await imports.run(
            kind,
            content,
            file_name=f"{people.PINYIN[region]}-{kind}.xlsx",
            dry_run=dry_run,
            act=people.of(cast, region, "supervisor", stage),
            rules=stage.jobs.rules,
        )
        if run.error_count:
            raise Stuck(f"{kind} of {region}: {run.errors[:3]}")


async def _bad_file(stage: Stage, cast: Cast, world: World) -> ImportRun:
    """A file with a wrong check digit, an unknown region and no such day: told cell by cell."""
    rows = [dict(row) for row in world.of("institutions", SHANDONG)[:4]]
    code = rows[0]["credit_code"]
    rows[0]["credit_code"] = code[:-1] + ("0" if code[-1] != "0" else "1")
    rows[1]["region"] = BAD_REGION
    rows[2]["risk_class"] = "E"
    run = await imports.run(
        "institutions",
        await asyncio.to_thread(exports.write, "institutions", rows, "xlsx"),
        file_name="shandong-institutions-wrong.xlsx",
        dry_run=True,
        act=people.of(cast, SHANDONG, "supervisor", stage),
        rules=stage.jobs.rules,
    )
    if run.state != "refused":
        raise Stuck("the bad file was not refused")
    return run


async def file_allocations(stage: Stage, cast: Cast, world: World) -> int:
    """Shanxi's allocation of 2024 as its notice gives it, and one quarterly form from Weihai."""
    for name, (home, city, allotted) in NAMED.items():
        if not allotted:
            continue
        found = await directories.institution_by_credit_code(
            world.named[name], act=people.of(cast, home, "supervisor", stage), region=city
        )
        payload = {
            "items": [{"occupation": what, "persons": n} for what, n in allotted],
            "source": "晋人社厅发〔2024〕27号 附件",
        }
        filing = await filings.save(
            found.id, "R09", str(ALLOCATED), payload,
            act=people.of(cast, home, "supervisor", stage), rules=stage.jobs.rules,
        )  # fmt: skip
        await _through(stage, cast, filing.id, SHANXI)
    await _quarterly(stage, cast, world)
    return sum(bool(allotted) for _, _, allotted in NAMED.values()) + 1


async def _through(stage: Stage, cast: Cast, filing_id: UUID, region: int) -> None:
    rules = stage.jobs.rules
    await filings.submit(
        filing_id,
        act=people.of(cast, region, "supervisor", stage),
        rules=rules,
        key=stage.jobs.keys.server,
    )
    await filings.accept(filing_id, act=people.of(cast, region, "reviewer", stage), rules=rules)


async def _quarterly(stage: Stage, cast: Cast, world: World) -> None:
    code = next(code for code, breach in world.planted.items() if breach.city == WEIHAI)
    found = await directories.institution_by_credit_code(
        code, act=people.of(cast, WEIHAI, "supervisor", stage), region=WEIHAI
    )
    user = await people.user_of(stage, cast, found)
    row = {
        "name": "人工智能工程技术人员",
        "classes": 1,
        "subsidised_classes": 1,
        "trained": 40,
        "certified": 0,
        "subsidised_persons": 40,
        "subsidy_fen": 6_000_000,
    }
    payload = {
        "unit": found.name,
        "filled_on": stage.clock().date().isoformat(),
        "filled_by": "机构经办人",
        "phone": "0000-0000000",
        "rows": [row],
    }
    rules = stage.jobs.rules
    filing = await filings.save(
        found.id, "R38", f"{YEAR}Q1", payload, act=stage.act(user), rules=rules
    )
    await filings.submit(filing.id, act=stage.act(user), rules=rules, key=stage.jobs.keys.server)
    await filings.accept(filing.id, act=people.of(cast, WEIHAI, "supervisor", stage), rules=rules)

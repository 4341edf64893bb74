"""The fictional year's people and institutions: rows of text as an office would import them.

One integer makes the same world everywhere. Five universities are real names because the notices
name them; everything else about them, and everybody else, is invented and says so.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from faker import Faker

from backend.services.credit_code import complete

Row = dict[str, str]

SHANDONG, WEIHAI, SHANXI, HEILONGJIANG = 370000, 371000, 140000, 230000
TAIYUAN, HARBIN, JINAN, QINGDAO = 140100, 230100, 370100, 370200
CITIES = {
    SHANDONG: (JINAN, QINGDAO, 370600, 370700, WEIHAI),
    SHANXI: (TAIYUAN, 140200, 140700),
    HEILONGJIANG: (HARBIN,),  # its notice keeps training to Harbin
}
# City → what names begin with, and about where it lies (degrees, WGS 84).
PLACES = {
    JINAN: ("济南", 36.65, 117.00),
    QINGDAO: ("青岛", 36.07, 120.38),
    370600: ("烟台", 37.46, 121.45),
    370700: ("潍坊", 36.71, 119.16),
    WEIHAI: ("威海", 37.51, 122.12),
    TAIYUAN: ("太原", 37.87, 112.55),
    140200: ("大同", 40.08, 113.30),
    140700: ("晋中", 37.69, 112.75),
    HARBIN: ("哈尔滨", 45.80, 126.53),
}
EARLY = 24  # the first institutions of a province hold its classes: their cities are not drawn
WEIHAI_INSPECTORS = range(20, 31)
YEAR = 2026
MARK = "（虚构）"
OCCUPATIONS = (
    "ai",
    "big-data",
    "cloud-computing",
    "iot",
    "blockchain",
    "intelligent-manufacturing",
    "digital-management",
)
LEVELS = ("junior", "intermediate", "senior")
# The notices name them; Shanxi's 2024 allocation is filed as the notice gives it.
NAMED = {
    "山西大学": (SHANXI, TAIYUAN, (("ai", 100), ("digital-management", 100))),
    "太原理工大学": (SHANXI, TAIYUAN, (("blockchain", 50), ("big-data", 150))),
    "太原科技大学": (SHANXI, TAIYUAN, (("intelligent-manufacturing", 100),)),
    "哈尔滨工业大学": (HEILONGJIANG, HARBIN, ()),
    "哈尔滨工程大学": (HEILONGJIANG, HARBIN, ()),
}
KINDS = (*("training",) * 5, "evaluation", "training", "training;evaluation", *("training",) * 3,
         "evaluation")  # fmt: skip
UNITS = ("职业能力建设处", "专业技术人员管理处", "执法监察局", "信息中心")
KINDS_OF_NAME = ("职业培训学校", "数字技能培训中心", "继续教育学院", "人才服务有限公司")


@dataclass(frozen=True)
class Size:
    """How many of what, by province; ``roster`` trainees in each class."""

    institutions: Mapping[int, int]
    inspectors: Mapping[int, int]
    classes: Mapping[int, int]
    roster: int


FULL = Size(
    institutions={SHANDONG: 150, SHANXI: 75, HEILONGJIANG: 75},
    inspectors={SHANDONG: 32, SHANXI: 14, HEILONGJIANG: 14},
    classes={SHANDONG: 20, SHANXI: 10, HEILONGJIANG: 10},
    roster=40,
)


@dataclass(frozen=True)
class Breach:
    """A planted breach: the item that fails, the answer, and the picture that shows it."""

    kind: str
    region: int
    item: str
    answer: dict[str, object]
    picture: str
    words: tuple[str, ...]
    said: str
    city: int | None = None


BREACHES = (
    Breach("pass_guarantee", SHANDONG, "TI-06", {"ticked": ["pass_guarantee"]}, "poster",
           ("数字技术工程师考证", "一次包过", "签约保障"), "大厅海报承诺“一次包过”"),
    Breach("refund_guarantee", SHANDONG, "TI-06", {"ticked": ["refund_guarantee"]}, "poster",
           ("零风险学习", "不过退费", "全额返还"), "前台海报承诺“不过退费”"),
    Breach("job_guarantee", SHANDONG, "TI-06", {"ticked": ["job_guarantee"]}, "poster",
           ("学完即上岗", "包就业", "名企直推"), "走廊海报承诺“包就业”"),
    Breach("loan", SHANDONG, "TI-08", {"result": "found"}, "contract",
           ("学费分期服务协议", "培训贷合同", "贷款本金 19800 元"), "学员档案内有培训贷合同"),
    Breach("alliance", SHANDONG, "TI-04", {"result": "found"}, "poster",
           ("校企联盟", "山西太原教学点", "联盟招生"), "以联盟名义在山西太原开班招生"),
    Breach("disguised_licensing", SHANDONG, "TI-09", {"result": "found"}, "contract",
           ("行业资格认定证书", "准入资格许可", "凭证上岗"), "自行颁发带“资格许可”字样的证书"),
    Breach("ghost_roster", SHANDONG, "CV-03",
           {"counts": {"present": 5, "signed": 38, "enrolled": 40}}, "classroom",
           ("课堂实景",), "名册 40 人、签到 38 人，实到 5 人", city=WEIHAI),
    Breach("subcontract", SHANXI, "TI-03", {"result": "subcontract"}, "contract",
           ("委托培训协议", "乙方负责授课收费", "甲方出具证书"), "委托其他单位授课收费"),
    Breach("high_pass_rate", SHANXI, "TI-07", {"result": "no"}, "poster",
           ("历年高通过率", "通过率 98%", "名师押题"), "宣传栏标注“通过率 98%”"),
    Breach("salary_guarantee", SHANXI, "TI-06", {"ticked": ["salary_guarantee"]}, "poster",
           ("就业直通车", "包年薪 20 万", "内部推荐"), "宣传单承诺“包年薪 20 万”"),
    Breach("out_of_catalogue", HEILONGJIANG, "TI-02", {"result": "out_of_scope"}, "poster",
           ("虚拟现实工程师班", "高级班招生", "开班公告"), "开设目录以外的虚拟现实班"),
    Breach("false_advertising", HEILONGJIANG, "TI-05", {"result": "found"}, "poster",
           ("国家指定唯一基地", "人社部授权", "限时报名"), "自称“国家指定唯一基地”"),
)  # fmt: skip


@dataclass
class World:
    """Rows by import kind, in the order they must be imported, and what was planted where."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    planted: dict[str, Breach] = field(default_factory=dict)  # credit code → breach
    regions: dict[str, int] = field(default_factory=dict)  # credit code → province
    named: dict[str, str] = field(default_factory=dict)  # university → credit code

    def add(self, kind: str, row: Row) -> None:
        """Append one row of text."""
        self.rows.setdefault(kind, []).append(row)

    def of(self, kind: str, province: int) -> list[Row]:
        """The rows of one province's office."""
        return [row for row in self.rows[kind] if int(row["region"]) // 10000 == province // 10000]


def credit_code(number: int) -> str:
    """A well-formed code under a division code that no place has (990000)."""
    return complete(f"91990000MA{number:07d}")


def make(integer: int, size: Size = FULL) -> World:
    """The whole world of one integer; nothing else but its size goes in."""
    rng, fake = random.Random(integer), Faker("zh_CN")
    fake.seed_instance(integer)
    world = World()
    for province, count in size.institutions.items():
        _institutions(world, province, count, rng, fake)
    for province, count in size.inspectors.items():
        _inspectors(world, province, count, rng, fake)
    _relations(world, rng)
    for province, count in size.classes.items():
        for common, code in _classes(world, province, count, fake):
            _roster(world, common, code, rng, [fake.name() for _ in range(size.roster)])
    return world


def _institutions(
    world: World, province: int, count: int, rng: random.Random, fake: Faker
) -> None:
    named = [name for name, (home, _, _) in NAMED.items() if home == province]
    planted = [breach for breach in BREACHES if breach.region == province]
    for number in range(count):
        name = named[number] if number < len(named) else None
        breach = planted[number - len(named)] if 0 <= number - len(named) < len(planted) else None
        city = _city(province, number, name, breach, rng)
        place, lat, lon = PLACES[city]
        code = credit_code(province + number)
        if name:
            world.named[name] = code
        if breach:
            world.planted[code] = breach
        world.regions[code] = province
        kinds = "training" if name or breach else _kinds(number)
        world.add(
            "institutions",
            {
                "credit_code": code,
                "name": name or f"{place}示例{number:03d}号{_ending(number)}{MARK}",
                "kinds": kinds,
                "region": str(city),
                "home_region": str(province),
                "is_base": "yes" if name else "no",
                "risk_class": "D" if breach else rng.choices("ABC", (50, 35, 15))[0],
                "status": "active",
                "legal_person": f"{fake.name()}{MARK}",
                "phone": f"0000-{rng.randrange(10**7):07d}",
                "address": f"{place}市{fake.street_address()}{MARK}",
                "latitude": f"{lat + rng.uniform(-0.05, 0.05):.6f}",
                "longitude": f"{lon + rng.uniform(-0.05, 0.05):.6f}",
                "crs": "wgs84",
                "fictional": "yes",
            },
        )
        _catalogue(world, code, city, kinds, name, rng)


def _city(
    province: int, number: int, name: str | None, breach: Breach | None, rng: random.Random
) -> int:
    """Where an institution is: Weihai has the ghost roster and every fifth one besides."""
    if name:
        return NAMED[name][1]
    if breach:
        return breach.city or CITIES[province][0]
    cities = CITIES[province]
    return cities[number % len(cities)] if number < EARLY else rng.choice(cities)


def _ending(number: int) -> str:
    return KINDS_OF_NAME[number % len(KINDS_OF_NAME)]


def _kinds(number: int) -> str:
    """A sixth of the institutions evaluates, a twelfth trains and evaluates."""
    return KINDS[number % len(KINDS)]


def _catalogue(
    world: World, code: str, city: int, kinds: str, name: str | None, rng: random.Random
) -> None:
    filed = [occupation for occupation, _ in NAMED[name][2]] if name else []
    for kind in kinds.split(";"):
        for occupation in filed or rng.sample(OCCUPATIONS, rng.randint(1, 3)):
            listed = date(YEAR - 2, 1, 1) + timedelta(days=rng.randrange(500))
            world.add(
                "catalogue",
                {
                    "credit_code": code,
                    "region": str(city),
                    "kind": kind,
                    "occupation": occupation,
                    "levels": ";".join(LEVELS[: rng.randint(1, 3)]),
                    "listed_on": listed.isoformat(),
                    "source_notice": f"示例目录公告 {listed.year}-{listed.month:02d}{MARK}",
                },
            )


def _inspectors(world: World, province: int, count: int, rng: random.Random, fake: Faker) -> None:
    for number in range(count):
        lapses = number == count - 1  # one in each province cannot be drawn
        local = province == SHANDONG and number in WEIHAI_INSPECTORS
        until = date(YEAR, 3, 31) if lapses else date(YEAR + 1 + number % 3, 6, 30)
        world.add(
            "inspectors",
            {
                "staff_code": f"S{province // 10000}{number:04d}",
                "name": f"{fake.name()}{MARK}",
                "region": str(WEIHAI if local else province),
                "department": f"人力资源社会保障{'局' if local else '厅'}",
                "unit": UNITS[number % len(UNITS)],
                "licence_no": f"X{province // 10000}{number:06d}",
                "licence_until": until.isoformat(),
                "lead": "yes" if number % 2 == 0 else "no",
                "skills": "training;evaluation" if number % 3 else "training",
                "areas": str(WEIHAI) if local else ";".join(map(str, CITIES[province])),
                "cap": str(rng.randint(6, 9)),
                "available": "yes",
            },
        )


def _relations(world: World, rng: random.Random) -> None:
    cities = {row["credit_code"]: row["region"] for row in world.rows["institutions"]}
    for row in world.rows["inspectors"][::4]:
        province = int(row["region"]) // 10000
        code = rng.choice([c for c, home in world.regions.items() if home // 10000 == province])
        world.add(
            "relations",
            {
                "licence_no": row["licence_no"],
                "credit_code": code,
                "region": cities[code],
                "ground": "近亲属任职",
                "declared_on": f"{YEAR}-01-15",
            },
        )


def _classes(world: World, province: int, count: int, fake: Faker) -> Iterator[tuple[Row, str]]:
    """Classes with their sessions, one at a time: whose it is, and its code."""
    training = [
        row for row in world.rows["institutions"]
        if int(row["home_region"]) == province and "training" in row["kinds"]
    ]  # fmt: skip
    listed = {row["credit_code"]: row for row in reversed(world.rows["catalogue"])}
    for number, row in enumerate(training[:count]):
        breach = world.planted.get(row["credit_code"])
        elsewhere = breach is not None and breach.kind == "alliance"
        outside = breach is not None and breach.kind == "out_of_catalogue"
        starts = date(YEAR, 3, 2) + timedelta(days=7 * (number % 4))
        code = f"C{province // 10000}-{YEAR}-{number + 1:03d}"
        common = {
            "credit_code": row["credit_code"],
            "region": row["region"],
        }
        world.add(
            "classes",
            {
                **common,
                "code": code,
                "title": f"数字技术工程师培训 {number + 1:02d} 班{MARK}",
                "occupation": "virtual-reality"
                if outside
                else listed[row["credit_code"]]["occupation"],
                "level": "junior",
                "mode": "mixed",
                "venue_region": str(TAIYUAN if elsewhere else row["region"]),
                "venue": f"{fake.street_address()} 教室 {number + 1}{MARK}",
                "teacher": f"{fake.name()}{MARK}",
                "starts_on": starts.isoformat(),
                "ends_on": (starts + timedelta(days=54)).isoformat(),
                "status": "running",
            },
        )
        _sessions(world, common, code, starts)
        yield common, code


def _sessions(world: World, common: Row, code: str, starts: date) -> None:
    for number in range(16):
        day = starts + timedelta(days=7 * (number // 2) + number % 2 * 2)
        world.add(
            "sessions",
            {
                **common,
                "class_code": code,
                "code": f"L{number + 1:02d}",
                "on_date": day.isoformat(),
                "starts": "09:00",
                "ends": "16:30",
                "mode": "offline" if number % 3 else "online",
                "status": "planned",
            },
        )


def _roster(
    world: World, common: Row, code: str, rng: random.Random, names: Sequence[str]
) -> None:
    for number, name in enumerate(names, start=1):
        world.add(
            "rosters",
            {
                **common,
                "class_code": code,
                "roster_no": str(number),
                "name": f"{name}{MARK}",
                "id_tail": f"{rng.randrange(1000):03d}{rng.choice('0123456789X')}",
            },
        )

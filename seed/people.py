"""The people of the fictional year: offices, one person a role and office, inspectors' phones."""

import base64
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from backend.services import accounts, devices, directories, offices
from backend.services.act import Act, Person
from backend.services.records.directories import Inspector, Institution
from media.keys import DeviceKey
from seed.stage import Stage
from seed.world import HEILONGJIANG, SHANDONG, SHANXI, WEIHAI

OFFICES = {
    SHANDONG: ("山东省人力资源社会保障厅", "鲁人社"),
    WEIHAI: ("威海市人力资源和社会保障局", "威人社"),
    SHANXI: ("山西省人力资源社会保障厅", "晋人社"),
    HEILONGJIANG: ("黑龙江省人力资源社会保障厅", "黑人社"),
}
PINYIN = {SHANDONG: "shandong", WEIHAI: "weihai", SHANXI: "shanxi", HEILONGJIANG: "heilongjiang"}
STAFF = {
    "supervisor": "督导员",
    "reviewer": "复核员",
    "approver": "批准人",
    "legal": "法制审核员",
    "publisher": "公示员",
}
ELSEWHERE = {"integrator": "数据接口", "expert": "技术专家"}
ADMINS = {"sysadmin": "系统管理员", "secadmin": "安全管理员", "auditadmin": "审计管理员"}
MARK = "（虚构）"


@dataclass(frozen=True)
class Login:
    """One login that is printed: where its person works, what it may do."""

    login: str
    role: str
    region: int


@dataclass
class Office:
    """An office and who works in it, by what they do."""

    id: UUID
    region: int
    staff: dict[str, Person] = field(default_factory=dict)


@dataclass
class Phone:
    """An enrolled phone: its inspector as a signed-in person, and its key."""

    person: Person
    key: DeviceKey
    inspector: UUID


@dataclass
class Cast:
    """Everybody who plays; phones by inspector, institution users by institution.

    ``waiting`` is the region and team of a visit that nobody makes, for a guest with a phone.
    """

    offices: dict[int, Office] = field(default_factory=dict)
    phones: dict[UUID, Phone] = field(default_factory=dict)
    users: dict[UUID, Person] = field(default_factory=dict)
    logins: list[Login] = field(default_factory=list)
    waiting: tuple[int, tuple[UUID, ...]] = (0, ())

    def office_of(self, region: int) -> Office:
        """The office nearest to a region: Weihai's own, else the province's."""
        return self.offices.get(region) or self.offices[region // 10000 * 10000]


def password(stage: Stage) -> str:
    """The one password of every printed login, out of the integer."""
    return f"demo-{base64.b32encode(stage.secret('password'))[:12].decode().lower()}"


async def _account(  # noqa: PLR0913 - one argument a column
    stage: Stage,
    login: str,
    name: str,
    role: str,
    region: int,
    *,
    office: UUID | None = None,
    institution: UUID | None = None,
    secret: str | None = None,
) -> Person:
    """An account with one role; without ``secret`` nobody can sign in with it."""
    new = accounts.NewAccount(
        login=login,
        name=f"{name}{MARK}",
        kind="institution" if institution else "office",
        region=region,
        office=office,
        institution=institution,
        password=secret,
    )
    account = await accounts.open_account(new, act=stage.product(region))
    await accounts.assign_role(account, role, region=region, act=stage.product(region))
    person = await accounts.load_person(account, at=stage.clock())
    if person is None:
        raise LookupError(login)
    return person


async def found(stage: Stage) -> Cast:
    """Register the installation, open the four offices and their accounts."""
    cast, secret = Cast(), password(stage)
    await offices.register(
        stage.ids(),
        name=f"明察演示{MARK}",
        log_origin=stage.jobs.settings.log_origin,
        act=stage.product(),
    )
    for region, (name, short_name) in OFFICES.items():
        new = offices.NewOffice(
            region=region, name=f"{name}{MARK}", short_name=short_name, department="hr"
        )
        office = Office(await offices.open_office(new, act=stage.product(region)), region)
        cast.offices[region] = office
        for post, title in STAFF.items():
            role = "supervisor" if post == "reviewer" else post
            printed = post == "supervisor" or (region == SHANDONG and post != "reviewer")
            login = f"{post}.{PINYIN[region]}"
            office.staff[post] = await _account(
                stage, login, f"{short_name}{title}", role, region,
                office=office.id, secret=secret if printed else None,
            )  # fmt: skip
            if printed:
                cast.logins.append(Login(login, role, region))
    for role, title in (ELSEWHERE | ADMINS).items():
        await _account(
            stage, role, title, role, SHANDONG,
            office=cast.offices[SHANDONG].id, secret=secret,
        )  # fmt: skip
        cast.logins.append(Login(role, role, SHANDONG))
    return cast


async def equip(stage: Stage, cast: Cast, who: Inspector, *, printed: bool = False) -> Phone:
    """An account for an inspector, linked to the directory, and a phone enrolled by code."""
    if who.id in cast.phones:
        return cast.phones[who.id]
    office = cast.office_of(who.region)
    login = f"inspector.{who.staff_code.lower()}"
    secret = password(stage) if printed else None
    person = await _account(
        stage, login, who.name.removesuffix(MARK), "inspector", who.region,
        office=office.id, secret=secret,
    )  # fmt: skip
    if printed:
        cast.logins.append(Login(login, "inspector", who.region))
    supervisor = office.staff["supervisor"]
    await directories.link_account(who.id, person.id, act=stage.act(supervisor))
    linked = await accounts.load_person(person.id, at=stage.clock())
    key = DeviceKey.from_seed(stage.secret("phone", who.staff_code))
    code = stage.secret("enrolment", who.staff_code).hex()[:12]
    await devices.approve(person.id, code, act=stage.act(supervisor))
    new = devices.NewDevice(
        spki=key.spki, user_agent="mingcha-seed", platform="fictional", persisted=True
    )
    device = await devices.enrol(code, new, act=stage.act(linked or person))
    bound = msgspec.structs.replace(linked or person, device=device.id, device_spki=key.spki)
    cast.phones[who.id] = Phone(bound, key, who.id)
    return cast.phones[who.id]


async def user_of(stage: Stage, cast: Cast, institution: Institution) -> Person:
    """The account of an institution; the first one's login is printed."""
    if institution.id not in cast.users:
        first = not cast.users
        login = f"institution.{institution.credit_code[9:17].lower()}"
        cast.users[institution.id] = await _account(
            stage, login, "机构经办人", "institution_user", institution.region,
            institution=institution.id, secret=password(stage) if first else None,
        )  # fmt: skip
        if first:
            cast.logins.append(Login(login, "institution_user", institution.region))
    return cast.users[institution.id]


def of(cast: Cast, region: int, post: str, stage: Stage) -> Act:
    """The next deed of whoever does this at the office of a region."""
    return stage.act(cast.office_of(region).staff[post])

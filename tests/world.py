"""Factories: what a test needs of the world, made through the services, one function a noun."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx

from backend.clock import new_id
from backend.services import accounts, offices
from backend.services.act import Act, Person, system
from media.keys import DeviceKey

SHANDONG, WEIHAI, JINAN = 370000, 371000, 370100
SHANXI, TAIYUAN, HEILONGJIANG, HARBIN = 140000, 140100, 230000, 230100
PASSWORD = "correct horse battery"  # nobody's password
count = itertools.count(1)


async def the_product(at: datetime) -> Act:
    """A deed of the product itself, with every region in scope."""
    regions = await offices.every_region()
    person = system(regions, 100000)
    return Act(by=person, at=at, new_id=new_id)


async def an_office(at: datetime, region: int = SHANDONG, short_name: str = "鲁人社") -> UUID:
    """A human-resources department."""
    new = offices.NewOffice(
        region=region, name=f"{region} 人社部门", short_name=short_name, department="hr"
    )
    return await offices.open_office(new, act=await the_product(at))


@dataclass(frozen=True)
class Login:
    """A person who can sign in."""

    person: Person
    login: str
    password: str = PASSWORD

    def act(self, at: datetime) -> Act:
        """A deed of this person."""
        return Act(by=self.person, at=at, new_id=new_id)


async def a_person(
    at: datetime,
    *roles: str,
    region: int = SHANDONG,
    office: UUID | None = None,
    institution: UUID | None = None,
) -> Login:
    """An account with these roles in a region, or an institution's user."""
    product = await the_product(at)
    login = f"person-{next(count)}"
    kind = "institution" if institution else "office"
    new = accounts.NewAccount(
        login=login,
        name=f"测试人员{login}",
        kind="institution" if kind == "institution" else "office",
        region=region,
        office=office,
        institution=institution,
        password=PASSWORD,
    )
    account = await accounts.open_account(new, act=product)
    for role in roles:
        await accounts.assign_role(account, role, region=region, act=product)
    person = await accounts.load_person(account, at=at)
    assert person is not None
    return Login(person, login)


async def signed_in(
    client: httpx.AsyncClient, who: Login, *, device: UUID | None = None
) -> dict[str, str]:
    """The headers of a signed-in caller."""
    body: dict[str, str] = {"login": who.login, "password": who.password}
    if device:
        body["device"] = str(device)
    answer = await client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def a_device_key() -> DeviceKey:
    """A phone's key pair."""
    return DeviceKey.generate()


def codes(problems: Iterable[dict[str, object]]) -> list[object]:
    """The codes of several problem documents, for one comparison."""
    return [problem["code"] for problem in problems]

"""`mingcha settle`: the first three administrators of an empty installation."""

import argparse
import asyncio
import base64

from backend import clock
from backend.piccolo_conf import DB
from backend.services import offices
from backend.services.act import Act, system
from backend.settings import Settings, from_environment

NATION = 100000


def _secret() -> str:
    return base64.urlsafe_b64encode(clock.token()).decode().rstrip("=")


async def settle(settings: Settings) -> dict[str, str]:
    """Register the installation, open the three accounts; login → link, empty when done before."""
    await DB.open({role: settings.database.dsn(role) for role in ("app", "worker")}, size=2)
    try:
        regions = await offices.every_region()
        act = Act(by=system(regions, NATION), at=clock.now(), new_id=clock.new_id)
        await offices.register(
            clock.new_id(), name=settings.origin, log_origin=settings.log_origin, act=act
        )
        return await offices.settle((_secret(), _secret(), _secret()), act=act)
    except offices.AlreadySettled:
        return {}
    finally:
        await DB.close()


def main(_args: argparse.Namespace) -> int:
    """Print one link per administrator; each sets one password, once, within 24 hours."""
    settings = from_environment()
    links = asyncio.run(settle(settings))
    print("--", flush=True)
    for login, secret in links.items():
        print(f"{login:10} {settings.origin}/desk/first/{secret}")
    if not links:
        print("本系统已有账号 accounts exist already; sign in at", f"{settings.origin}/desk")
    return 0

"""Computing signals: of a visit or reply, soon after its facts; looking out for late ones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import yaml

from backend.db.engine import Scope
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.signals import facts, keep, orders, rosters
from backend.services.signals.facts import Loaded
from inspection_plans.loader import load_settings
from inspection_plans.signals.limits import limits
from inspection_plans.signals.visit import KINDS, judge

EDITORS = Path(__file__).parent.parent / "data" / "editors.yaml"
# An operation's time is its request's; its transaction may end a little later.
OVERLAP = timedelta(minutes=2)
LOCK = "select pg_advisory_xact_lock(hashtext('signals'), hashtext($1))"
KNOWN = "select inputs_sha256 from signal_run where occasion = $1"
RAN = """
insert into signal_run (occasion, region, inputs_sha256, computed_at) values ($1, $2, $3, $4)
on conflict (occasion) do update set inputs_sha256 = excluded.inputs_sha256,
  computed_at = excluded.computed_at
"""
INPUTS = """
select 'e' || id || state as word from evidence where visit = $1 or notice = $1
union all select 'v' || op_id from visit_event where visit = $1
union all select 'a' || op_id from answer where visit = $1
union all select 'r' || id from recount where visit = $1 and heads is not null order by word
"""
SWEPT = "select swept_until from signal_sweep where name = 'ops'"
SWEEP = """
insert into signal_sweep (name, swept_until) values ('ops', $1)
on conflict (name) do update set swept_until = excluded.swept_until
"""
# The index by block range reads the end of the table alone.
LATE = """
select distinct o.visit, v.region from op o join visit v on v.id = o.visit
where o.received_at > $1 and o.received_at <= $2 order by o.visit
"""


@cache
def editors() -> tuple[str, ...]:
    """Words by which a picture editor names itself."""
    return tuple(yaml.safe_load(EDITORS.read_text("utf-8")))


async def _inputs(occasion: UUID) -> str:
    words = await DB.connection.fetch(INPUTS, occasion)
    return sha256("\n".join(row["word"] for row in words).encode()).hexdigest()


async def compute(occasion: UUID, *, act: Act, keys: Keyring) -> None:
    """Compute all signals of a visit or of a reply, and have those of its neighbours computed.

    Repeatable: the same facts change nothing. Neighbours are asked only when this one's own facts
    are new, so that two of them never ask each other for ever.  Raises: Absent.
    Source: evidence spec 10.
    """
    async with DB.transaction(act.by.scope):
        await DB.connection.execute(LOCK, str(occasion))
        loaded = await facts.load(occasion, at=act.at)
        found = judge(
            loaded.facts, editors(), limits(load_settings(), loaded.occasion.jurisdiction)
        )
        await keep.keep(loaded.occasion, KINDS, found.found, act=act)
        inputs = await _inputs(occasion)
        new = await DB.connection.fetchval(KNOWN, occasion) != inputs
        await DB.connection.execute(RAN, occasion, loaded.occasion.region, inputs, act.at)
        await _ask(loaded, found.again_ms, act, neighbours=new)
    if loaded.occasion.training_class is not None:
        await rosters.compare([loaded.occasion.training_class], act=act, keys=keys)


async def _ask(loaded: Loaded, again_ms: int | None, act: Act, *, neighbours: bool) -> None:
    """Order what is to be computed next: neighbours soon, this one when a wait is over.

    In one order for everybody, so that two computations never wait for each other.
    """
    own = loaded.occasion
    wanted = dict.fromkeys(loaded.touched, orders.SETTLE) if neighbours else {}
    if again_ms is not None:
        wait = datetime.fromtimestamp(again_ms / 1000, UTC) - act.at
        wanted[orders.Touch(own.id, own.region, visited=own.notice is None)] = wait
    for one in sorted(wanted, key=lambda touch: touch.occasion):
        kind = orders.VISIT if one.visited else orders.NOTICE
        await orders.order(kind, one.occasion, region=one.region, at=act.at, after=wanted[one])


async def sweep(*, regions: Sequence[int], at: datetime) -> int:
    """Order the signals of visits for which operations came since the last look; how many.

    Operations are written on the fast path and order nothing themselves.
    """
    async with DB.transaction(Scope(regions=tuple(regions), role="worker")):
        until = await DB.connection.fetchval(SWEPT)
        since = datetime(1970, 1, 1, tzinfo=UTC) if until is None else until - OVERLAP
        rows = await DB.connection.fetch(LATE, since, at)
        for row in rows:
            await orders.order(orders.VISIT, row["visit"], region=row["region"], at=at)
        await DB.connection.execute(SWEEP, at)
    return len(rows)

"""How many rows a list has 共几条, counted no further than a bound: size never slows it."""

from typing import Literal

from backend.piccolo_conf import DB
from backend.services.act import Act

MOST = 10_000
List = Literal[
    "visits",
    "findings",
    "notices",
    "cases",
    "publications",
    "institutions",
    "inspectors",
    "plans",
    "draws",
    "classes",
    "items",
    "custody_acts",
    "bad_records",
    "bundles",
]
# list → its rows by the filters of its page, in the order that the page gives them.
ROWS: dict[List, str] = {
    # The region first: a visit's own index, where the policy alone would read them all.
    "visits": """select from visit where region = any ($1) and sealed_until <= $2
      and ($3::text is null or state = $3) and ($4::uuid is null or institution = $4)""",
    "findings": """select from finding where ($1::text is null or state = $1)
      and ($2::uuid is null or institution = $2)""",
    "notices": """select from notice where ($1::text is null or state = $1)
      and ($2::uuid is null or institution = $2)""",
    "cases": "select from case_file where ($1::text is null or state = $1)",
    "publications": "select from publication where ($1::text is null or state = $1)",
    "institutions": """select from institution where ($1::text is null or $1 = any (kinds))
      and ($2::text is null or status = $2)
      and ($3 = '' or position($3 in name) > 0 or credit_code = $3)""",
    "inspectors": """select from inspector
      where $1 = '' or position($1 in name) > 0 or staff_code = $1 or licence_no = $1""",
    "plans": """select from plan where ($1::text is null or state = $1)
      and ($2::int is null or year = $2)""",
    "draws": "select from draw",
    "classes": """select from training_class where ($1::text is null or status = $1)
      and ($2::uuid is null or institution = $2)""",
    "items": "select from inspection_item",
    "custody_acts": "select from custody_act where ($1::text is null or state = $1)",
    "bad_records": "select from bad_record where ($1::uuid is null or institution = $1)",
    "bundles": "select from dossier",
}


async def of(name: List, *filters: object, act: Act) -> int:
    """Rows of a list under its filters; more than ``MOST`` is ``MOST + 1``.

    Source: experience.md, "Every list says how many and what filter is on".
    """
    async with DB.transaction(act.by.scope, readonly=True):
        # One plan kept for all filters would walk a million that are over to count ten open ones.
        await DB.connection.execute("set local plan_cache_mode = force_custom_plan")
        found: int = await DB.connection.fetchval(
            f"select count(*) from ({ROWS[name]} limit {MOST + 1}) t",  # noqa: S608 - constants
            *filters,
        )
    return found

"""Statistics 统计: how many there are of each thing, by state, in the caller's scope.

A report, never part of a page: it counts rows, so it grows with them.
"""

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act

# What is counted, and by which column it is told apart.
COUNTED = {
    "institutions": ("institution", "status"),
    "inspectors": ("inspector", "case when available then 'available' else 'away' end"),
    "training_classes": ("training_class", "status"),
    "trainees": ("trainee", "'on_roster'"),
    "plans": ("plan", "state"),
    "draws": ("draw", "state"),
    "visits": ("visit", "state"),
    "evidence": ("evidence", "state"),
    "findings": ("finding", "state"),
    "findings_by_severity": ("finding", "severity"),
    "notices": ("notice", "state"),
    "replies": ("reply", "kind"),
    "cases": ("case_file", "state"),
    "publications": ("publication", "state"),
    "filings": ("filing", "state"),
    "import_runs": ("import_run", "state"),
    "audit_entries": (
        "aud.entry",
        "case when tree_index is null then 'pending' else 'sealed' end",
    ),
}


class Count(msgspec.Struct, frozen=True):
    """``total`` rows, and how they divide."""

    total: int
    by: dict[str, int]


async def overview(*, act: Act) -> dict[str, Count]:
    """Counts of everything the caller's offices have, one consistent moment."""
    async with DB.transaction(act.by.scope, isolation="repeatable_read", readonly=True):
        found: dict[str, Count] = {}
        for name, (table, column) in COUNTED.items():
            rows = await DB.connection.fetch(
                f"select {column} as part, count(*) as n from {table} group by 1 order by 1"  # noqa: S608 - constants above
            )
            by = {row["part"]: row["n"] for row in rows}
            found[name] = Count(sum(by.values()), by)
    return found

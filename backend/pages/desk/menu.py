"""The desk's navigation: every page that a person's roles open, in the order of the work."""

from typing import NamedTuple

from backend.services import policy
from backend.services.act import Person


class Entry(NamedTuple):
    """One page: the key of its words (``menu.<key>``), where it is, who may open it."""

    key: str
    href: str
    action: str
    icon: str


# group → pages. A page is entered here when it exists, by whoever writes it.
GROUPS: dict[str, tuple[Entry, ...]] = {
    "now": (
        Entry("home", "/desk", "session.own", icon="house"),
        Entry("second", "/desk/second", "visits.read", icon="user-round-check"),
    ),
    "circle": (
        Entry("visits", "/desk/visits", "visits.read", icon="clipboard-check"),
        Entry("recounts", "/desk/recounts", "recounts.count", icon="users-round"),
        Entry("strays", "/desk/strays", "visits.read", icon="triangle-alert"),
        Entry("findings", "/desk/findings", "findings.read", icon="search-check"),
        Entry("notices", "/desk/notices", "visits.read", icon="file-text"),
        Entry("cases", "/desk/cases", "visits.read", icon="briefcase-business"),
        Entry("bad_records", "/desk/bad-records", "cases.read", icon="octagon-alert"),
        Entry("custody", "/desk/custody", "evidence.acts", icon="lock-keyhole"),
        Entry("bundles", "/desk/bundles", "cases.read", icon="package-check"),
        Entry("publications", "/desk/publications", "publications.read", icon="megaphone"),
        Entry("tips", "/desk/tips", "tips.read", icon="message-square-warning"),
    ),
    "year": (
        Entry("plans", "/desk/plans", "plans.read", icon="calendar-range"),
        Entry("draws", "/desk/draws", "draws.watch", icon="dices"),
        Entry("parties", "/desk/parties", "draws.read", icon="key-round"),
        Entry("filings", "/desk/filings", "directories.browse", icon="inbox"),
        Entry("hits", "/desk/hits", "desk.read", icon="scan-search"),
        Entry("statistics", "/desk/statistics", "statistics.read", icon="chart-column"),
        Entry("institutions", "/desk/institutions", "directories.browse", icon="building-2"),
        Entry("inspectors", "/desk/inspectors", "inspectors.read", icon="id-card"),
        Entry("classes", "/desk/classes", "directories.browse", icon="school"),
        Entry("items", "/desk/items", "directories.browse", icon="list-checks"),
        Entry("imports", "/desk/imports", "directories.import", icon="file-up"),
        Entry("exports", "/desk/exports", "exports.desk", icon="file-down"),
        Entry("works", "/desk/works", "works.read", icon="loader"),
        Entry("rule_desk", "/desk/rules", "rules.desk", icon="scale"),
        Entry("cards", "/desk/cards", "rules.desk", icon="book-open"),
    ),
    "upkeep": (
        Entry("people", "/desk/people", "accounts.read", icon="users"),
        Entry("phones", "/desk/phones", "accounts.read", icon="smartphone"),
        Entry("audit_log", "/desk/log", "upkeep.read", icon="shield-check"),
        Entry("queue", "/desk/queue", "upkeep.read", icon="layers"),
        Entry("doctor", "/desk/doctor", "upkeep.read", icon="stethoscope"),
        Entry("settings", "/desk/settings", "rules.desk", icon="sliders-horizontal"),
        Entry("holidays", "/desk/holidays", "rules.desk", icon="calendar-days"),
        Entry("packs", "/desk/packs", "rules.desk", icon="library"),
    ),
}


def of(person: Person) -> list[tuple[str, list[Entry]]]:
    """Groups with the pages that this person may open; empty groups are left out."""
    found = [
        (
            group,
            [e for e in entries if policy.allowed(e.action, person.roles, signed_in=True)],
        )
        for group, entries in GROUPS.items()
    ]
    return [(group, entries) for group, entries in found if entries]

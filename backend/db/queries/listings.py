"""Lists as they are exported: one query a list, its columns in order, what narrows it."""

from typing import NamedTuple


class Query(NamedTuple):
    """``source`` is all after FROM; ``columns`` are (key, expression); ``filters`` by name.

    Filters compare an expression: ``region`` with a tree of regions, ``kind`` is an array of
    kinds, ``search`` a text looked through, ``day`` is held against the two ends of a span; the
    others are equal. ``place`` is the table whose coordinates a row lies at, None where rows lie
    nowhere. ``seal`` is the instant before which a row is in nobody's list.
    """

    source: str
    columns: tuple[tuple[str, str], ...]
    filters: dict[str, str]
    place: str | None = None
    seal: str | None = None


def _day(column: str) -> str:
    return f"({column} at time zone 'Asia/Shanghai')::date"


def _at(column: str) -> str:
    return f"to_char({column} at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')"


BY = "join institution i on i.id = t.institution"
WHO = (("institution", "i.name"), ("credit_code", "i.credit_code"))
ROLES = """array_to_string(array(select distinct r.role from role_assignment r
  where r.account = t.id and r.revoked_at is null order by r.role), ' ')"""
LISTINGS: dict[str, Query] = {
    "institutions": Query(
        "institution t",
        (
            ("name", "t.name"),
            ("credit_code", "t.credit_code"),
            ("kinds", "array_to_string(t.kinds, ' ')"),
            ("region", "t.region"),
            ("home_region", "t.home_region"),
            ("risk_class", "t.risk_class"),
            ("status", "t.status"),
            ("address", "t.address"),
            ("phone", "t.phone"),
            ("lat_e7", "t.lat_e7"),
            ("lon_e7", "t.lon_e7"),
            ("crs", "t.crs"),
            ("updated_at", _at("t.updated_at")),
        ),
        {
            "region": "t.region",
            "state": "t.status",
            "day": _day("t.updated_at"),
            "kind": "t.kinds",
            "search": "concat_ws(' ', t.name, t.credit_code)",
        },
        place="t",
    ),
    "catalogue": Query(
        f"catalogue_entry t {BY}",
        (
            *WHO,
            ("kind", "t.kind"),
            ("occupation", "t.occupation"),
            ("levels", "array_to_string(t.levels, ' ')"),
            ("listed_on", "t.listed_on::text"),
            ("valid_until", "t.valid_until::text"),
            ("delisted_on", "t.delisted_on::text"),
            ("source_notice", "t.source_notice"),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "day": "t.listed_on",
            "kind": "array[t.kind]",
        },
        place="i",
    ),
    "inspectors": Query(
        "inspector t",
        (
            ("staff_code", "t.staff_code"),
            ("name", "t.name"),
            ("department", "t.department"),
            ("unit", "t.unit"),
            ("licence_no", "t.licence_no"),
            ("licence_until", "t.licence_until::text"),
            ("region", "t.region"),
            ("available", "t.available::text"),
        ),
        {
            "region": "t.region",
            "day": "t.licence_until",
            "search": "concat_ws(' ', t.name, t.staff_code, t.licence_no)",
        },
    ),
    "classes": Query(
        f"training_class t {BY}",
        (
            *WHO,
            ("code", "t.code"),
            ("title", "t.title"),
            ("occupation", "t.occupation"),
            ("level", "t.level"),
            ("mode", "t.mode"),
            ("venue", "t.venue"),
            ("starts_on", "t.starts_on::text"),
            ("ends_on", "t.ends_on::text"),
            ("status", "t.status"),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.status",
            "day": "t.starts_on",
            "search": "concat_ws(' ', t.code, t.title)",
        },
        place="i",
    ),
    "plans": Query(
        "plan t",
        (
            ("code", "t.code"),
            ("title", "t.title"),
            ("year", "t.year"),
            ("period", "t.period"),
            ("region", "t.region"),
            ("state", "t.state"),
            ("window_from", "t.window_from::text"),
            ("window_until", "t.window_until::text"),
            ("rev", "t.rev"),
        ),
        {
            "region": "t.region",
            "state": "t.state",
            "day": "t.window_from",
            "year": "t.year",
        },
    ),
    "draws": Query(
        "draw t",
        (
            ("code", "t.code"),
            ("attempt", "t.attempt"),
            ("region", "t.region"),
            ("state", "t.state"),
            ("object_count", "t.object_count"),
            ("inspector_count", "t.inspector_count"),
            ("frozen_at", _at("t.frozen_at")),
            ("drawn_at", _at("t.drawn_at")),
            ("disclose_on", "t.disclose_on::text"),
            ("head", "t.head"),
        ),
        {"region": "t.region", "state": "t.state", "day": "t.disclose_on"},
    ),
    "visits": Query(
        f"visit t {BY}",
        (
            ("code", "t.code"),
            *WHO,
            ("region", "t.region"),
            ("kind", "t.kind"),
            ("selection", "t.selection"),
            ("on_date", "t.on_date::text"),
            ("state", "t.state"),
            ("started_at", _at("t.started_at")),
            ("concluded_at", _at("t.concluded_at")),
            ("lat_e7", "i.lat_e7"),
            ("lon_e7", "i.lon_e7"),
            ("crs", "i.crs"),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "day": "t.on_date",
            "kind": "array[t.kind]",
        },
        place="i",
        seal="t.sealed_until",
    ),
    "findings": Query(
        f"finding t {BY} left join visit v on v.id = t.visit",
        (
            *WHO,
            ("visit", "v.code"),
            ("item", "t.item"),
            ("title", "t.title_zh"),
            ("detail", "t.detail"),
            ("severity", "t.severity"),
            ("state", "t.state"),
            ("clauses", "array_to_string(t.clauses, ' ')"),
            ("created_at", _at("t.created_at")),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "day": _day("t.created_at"),
            "severity": "t.severity",
        },
        place="i",
    ),
    "notices": Query(
        f"notice t {BY}",
        (
            ("number", "t.number"),
            *WHO,
            ("kind", "t.kind"),
            ("state", "t.state"),
            ("issued_at", _at("t.issued_at")),
            ("served_on", "t.served_on::text"),
            ("due_on", "t.due_on::text"),
            ("closed_at", _at("t.closed_at")),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "day": _day("t.created_at"),
            "kind": "array[t.kind]",
        },
        place="i",
    ),
    "replies": Query(
        f"reply t {BY} join notice n on n.id = t.notice and t.submitted_at is not null",
        (
            ("number", "n.number"),
            *WHO,
            ("kind", "t.kind"),
            ("text", "t.text"),
            ("files", "cardinality(t.evidence)"),
            ("submitted_at", _at("t.submitted_at")),
            ("digest", "t.digest"),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "day": _day("t.submitted_at"),
            "kind": "array[t.kind]",
        },
        place="i",
    ),
    "cases": Query(
        f"case_file t {BY}",
        (
            *WHO,
            ("state", "t.state"),
            ("reason", "t.reason"),
            ("outcome", "t.outcome"),
            ("opened_at", _at("t.opened_at")),
            ("closed_at", _at("t.closed_at")),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "day": _day("t.opened_at"),
        },
        place="i",
    ),
    "publications": Query(
        "publication t left join institution i on i.id = t.institution",
        (
            *WHO,
            ("kind", "t.kind"),
            ("state", "t.state"),
            ("wordings", "array_to_string(t.wordings, ' ')"),
            ("due_on", "t.due_on::text"),
            ("published_at", _at("t.published_at")),
            ("expires_on", "t.expires_on::text"),
            ("digest", "t.digest"),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "day": "t.due_on",
            "kind": "array[t.kind]",
        },
        place="i",
    ),
    "filings": Query(
        f"filing t {BY}",
        (
            *WHO,
            ("register", "t.register"),
            ("period", "t.period"),
            ("state", "t.state"),
            ("rev", "t.rev"),
            ("submitted_at", _at("t.submitted_at")),
            ("decided_at", _at("t.decided_at")),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "day": _day("t.created_at"),
            "kind": "array[t.register]",
        },
        place="i",
    ),
    "documents": Query(
        "document t left join institution i on i.id = t.institution",
        (
            ("number", "t.number"),
            *WHO,
            ("kind", "t.kind"),
            ("standing", "t.standing"),
            ("issued_on", "t.issued_on::text"),
            ("pages", "t.pages"),
            ("sha256", "t.sha256"),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.standing",
            "day": "t.issued_on",
            "kind": "array[t.kind]",
        },
        place="i",
    ),
    "evidence": Query(
        f"evidence t {BY} left join visit v on v.id = t.visit",
        (
            *WHO,
            ("visit", "v.code"),
            ("item", "t.item"),
            ("mime", "t.mime"),
            ("size", "t.size"),
            ("sha256", "t.sha256"),
            ("state", "t.state"),
            ("captured_at", _at("t.captured_at")),
            ("received_at", _at("t.received_at")),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "day": _day("t.declared_at"),
        },
        place="i",
    ),
    "signals": Query(
        f"signal t {BY}",
        (
            *WHO,
            ("kind", "t.kind"),
            ("strength", "t.strength"),
            ("score", "t.score"),
            ("found_at", _at("t.found_at")),
            ("gone_at", _at("t.gone_at")),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.strength",
            "day": _day("t.found_at"),
            "kind": "array[t.kind]",
        },
        place="i",
    ),
    "hits": Query(
        f"desk_hit t {BY}",
        (
            *WHO,
            ("rule", "t.rule"),
            ("about", "t.about"),
            ("outcome", "t.outcome"),
            ("verdict", "t.verdict"),
            ("severity", "t.severity"),
            ("on_day", "t.on_day::text"),
            ("clauses", "array_to_string(t.clauses, ' ')"),
            ("state", "t.state"),
            ("reason", "t.reason"),
            ("found_at", _at("t.found_at")),
            ("gone_at", _at("t.gone_at")),
        ),
        {
            "region": "t.region",
            "institution": "t.institution",
            "state": "t.state",
            "kind": "array[t.rule]",
            "severity": "t.severity",
            "day": _day("t.found_at"),
        },
        place="i",
    ),
    "people": Query(
        "account t",
        (
            ("login", "t.login"),
            ("name", "t.display_name"),
            ("kind", "t.kind"),
            ("region", "t.region"),
            ("roles", ROLES),
            ("created_at", _at("t.created_at")),
            ("disabled_at", _at("t.disabled_at")),
        ),
        {
            "region": "t.region",
            "kind": "array[t.kind]",
            "search": "concat_ws(' ', t.login, t.display_name)",
            "day": _day("t.created_at"),
        },
    ),
    "phones": Query(
        "device t join account a on a.id = t.account",
        (
            ("holder", "a.display_name"),
            ("region", "a.region"),
            ("kid", "t.kid"),
            ("platform", "t.platform"),
            ("enrolled_at", _at("t.enrolled_at")),
            ("last_seen_at", _at("t.last_seen_at")),
            ("revoked_at", _at("t.revoked_at")),
        ),
        {"region": "a.region", "day": _day("t.enrolled_at")},
    ),
    "audit": Query(
        "aud.entry t",
        (
            ("place", "t.tree_index"),
            ("region", "t.region"),
            ("at", _at("to_timestamp((t.body ->> 't')::bigint / 1000)")),
            ("verb", "t.body ->> 'verb'"),
            ("actor", "t.body -> 'actor' ->> 'name_snapshot'"),
            ("type", "t.body -> 'object' ->> 'type'"),
            ("id", "t.body -> 'object' ->> 'id'"),
            ("title", "t.body -> 'object' ->> 'title_snapshot'"),
            ("reason", "t.body ->> 'reason'"),
            ("leaf", "encode(t.leaf, 'hex')"),
        ),
        {"region": "t.region", "day": _day("to_timestamp((t.body ->> 't')::bigint / 1000)")},
    ),
}
WHERE = {
    "region": "{0} = any (regions_below(${1}::int))",
    "institution": "{0} = ${1}::uuid",
    "state": "{0} = ${1}::text",
    "kind": "${1}::text = any ({0})",
    "severity": "{0} = ${1}::text",
    "year": "{0} = ${1}::int",
    "search": "position(lower(${1}::text) in lower({0})) > 0",
    "since": "{0} >= ${1}::date",
    "until": "{0} <= ${1}::date",
}
PLACE = ("lat_e7", "lon_e7", "crs")


def columns(name: str, *, places: bool) -> tuple[tuple[str, str], ...]:
    """The columns of a list; with ``places`` also those of a point on the map, if it has one."""
    query = LISTINGS[name]
    held = {key for key, _ in query.columns}
    if not places or query.place is None or held.issuperset(PLACE):
        return query.columns
    return (*query.columns, *((key, f"{query.place}.{key}") for key in PLACE))


def sql(name: str, filters: tuple[str, ...], *, places: bool = False) -> str:
    """The query of a list: its arguments are the present instant, then the filters' values.

    Every piece comes from this file; values never become text of a statement.
    """
    query = LISTINGS[name]
    listed = ", ".join(expression for _, expression in columns(name, places=places))
    tests = [
        WHERE[one].format(query.filters["day" if one in ("since", "until") else one], place)
        for place, one in enumerate(filters, 2)
    ]
    opened = f"coalesce({query.seal or 'null'}, $1::timestamptz) <= $1::timestamptz"
    where = " and ".join([opened, *tests])
    return f"select {listed} from {query.source} where {where} order by t.id"  # noqa: S608 - constants

"""The walls that imports cannot see: routes, columns, keys, policies, codes, clauses, sizes."""

import ast
import importlib
import pkgutil
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

import backend
import inspection_plans
import media
from backend.db.piccolo_app import APP_CONFIG
from backend.jobs import worker
from backend.services import policy, texts
from backend.services.errors import REFUSALS, STATUS
from inspection_plans import states
from inspection_plans.loader import load
from tests.schema_text import FILE as SCHEMA_FILE
from tests.schema_text import schema_text

ROOT = Path(__file__).parents[1]
PACKAGES = ("backend", "inspection_plans", "media", "seed")
# Rows of everybody: no region, no policy. Each with its reason.
SHARED = {
    "installation": "one row, public identity",
    "region": "public codes",
    "occupation": "public codes",
    "sheet_version": "the rules' own public content under its digest",
    "migration": "the migration runner's own",
    "task": "the queue carries ids only and is read by the worker",
    "occurrence": "schedule names and instants",
    "session_kv": "opaque keys, no rights to list",
    "rate_kv": "counters",
    "node": "hashes",
    "checkpoint": "public signed heads",
    "recovery": "what happened to the public log's signing",
    "upkeep_run": "counts and ids of the product's own upkeep",
    "cosignature": "public statements of witnesses about heads",
    "verification": "counts and sentences about the log, without its content",
}
LIMITS = {"file": 500, "function": 80, "nesting": 4, "test file": 600}


def sources(*packages: str) -> list[Path]:
    return sorted(
        file
        for package in packages
        for file in (ROOT / package).rglob("*.py")
        if "piccolo_migrations" not in file.parts and "node_modules" not in file.parts
    )


def routes(app: Litestar) -> list[HTTPRouteHandler]:
    handlers = {h for route in app.routes for h in getattr(route, "route_handlers", [])}
    return [
        h for h in handlers if isinstance(h, HTTPRouteHandler) and "OPTIONS" not in h.http_methods
    ]


def test_every_route_names_its_action(app: Litestar) -> None:
    unguarded = sorted(str(h) for h in routes(app) if h.opt.get("action") not in policy.ACTIONS)
    assert unguarded == []


def test_every_action_is_somebodys_and_used(app: Litestar) -> None:
    used = {h.opt["action"] for h in routes(app)}
    assert sorted(set(policy.ACTIONS) - used) == []
    known = policy.ROLES | {policy.PUBLIC, policy.SIGNED_IN}
    assert {role for roles in policy.ACTIONS.values() for role in roles} <= known


def test_handlers_are_thin() -> None:
    """Decode, call, encode: no branch in a handler of the API."""
    branching = [
        f"{file.name}::{node.name}"
        for file in sources("backend/api")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.AsyncFunctionDef) and node.decorator_list
        for inner in ast.walk(node)
        if isinstance(inner, ast.If | ast.For | ast.While | ast.Try)
    ]
    assert branching == []


def test_every_column_states_null_and_default() -> None:
    silent = [
        f"{file.name}:{node.lineno}"
        for file in sources("backend/db/tables")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and not {"null", "default"} <= {k.arg for k in node.value.keywords}
    ]
    assert silent == []


@pytest.mark.usefixtures("app")
async def test_every_foreign_key_restricts(owner: asyncpg.Connection) -> None:
    loose = await owner.fetch(
        "select conname from pg_constraint where contype = 'f' and confdeltype <> 'r'"
    )
    assert [row["conname"] for row in loose] == []


@pytest.mark.usefixtures("app")
async def test_row_level_security_is_forced_on_every_tenant_table(
    owner: asyncpg.Connection,
) -> None:
    rows = await owner.fetch(
        "select c.relname, c.relrowsecurity and c.relforcerowsecurity as forced from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind = 'r' and n.nspname in ('public', 'aud')"
    )
    assert {row["relname"] for row in rows if not row["forced"]} == set(SHARED)


@pytest.mark.usefixtures("app")
async def test_the_product_owns_nothing_and_bypasses_nothing(owner: asyncpg.Connection) -> None:
    powers = await owner.fetch(
        "select rolname from pg_roles where rolname like 'mingcha_%'"
        " and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)"
    )
    owned = await owner.fetch(
        "select relname from pg_class c join pg_roles r on r.oid = c.relowner"
        " where r.rolname in ('mingcha_app', 'mingcha_worker', 'mingcha_public', 'mingcha_seq')"
    )
    deletes = await owner.fetch(
        "select distinct table_name from information_schema.role_table_grants"
        " where grantee like 'mingcha_%' and grantee <> 'mingcha_owner'"
        " and privilege_type in ('DELETE', 'TRUNCATE')"
    )
    assert [row["rolname"] for row in powers] == []
    assert [row["relname"] for row in owned] == []
    # Sessions and counters end; the lines of a draft notice are rewritten. Nothing else goes away.
    assert {row["table_name"] for row in deletes} == {"session_kv", "rate_kv", "notice_finding"}


@pytest.mark.usefixtures("app")
async def test_tables_and_catalogue_agree(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "select table_schema, table_name, column_name from information_schema.columns"
        " where table_schema in ('public', 'aud') and table_name <> 'migration'"
    )
    catalogue = {(r["table_schema"], r["table_name"], r["column_name"]) for r in rows}
    classes = {
        (table._meta.schema or "public", table._meta.tablename, column._meta.db_column_name)  # noqa: SLF001
        for table in APP_CONFIG.table_classes
        for column in table._meta.columns  # noqa: SLF001
    }
    assert classes == catalogue


@pytest.mark.usefixtures("app")
async def test_the_schema_file_is_the_catalogue(owner: asyncpg.Connection) -> None:
    assert SCHEMA_FILE.read_text("utf-8") == await schema_text(owner)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("table", "noun"),
    [
        ("plan", "PLAN"),
        ("draw", "DRAW"),
        ("visit", "VISIT"),
        ("evidence", "EVIDENCE"),
        ("finding", "FINDING"),
        ("notice", "NOTICE"),
        ("case", "CASE"),
        ("publication", "PUBLICATION"),
        ("filing", "FILING"),
        ("tip", "TIP"),
    ],
)
async def test_states_in_tables_are_the_states_of_the_rules(
    owner: asyncpg.Connection, table: str, noun: str
) -> None:
    text = await owner.fetchval(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = $1",
        f"ck_{table}_state",
    )
    assert set(re.findall(r"'([a-z_]+)'::text", text)) == set(states.states(states.Noun[noun]))


def subclasses(root: type[Exception]) -> Iterator[type[Exception]]:
    for child in root.__subclasses__():
        yield child
        yield from subclasses(child)


def every_module() -> None:
    for package in (backend, inspection_plans, media):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not re.search(r"__main__|asgi|serve|piccolo_migrations", module.name):
                importlib.import_module(module.name)


def refusals() -> list[type[Exception]]:
    every_module()
    found = [kind for root in REFUSALS for kind in subclasses(root)]
    return [kind for kind in found if "code" in vars(kind)]


def test_refusal_codes_are_unique_and_mapped() -> None:
    codes = [kind.code for kind in refusals()]  # type: ignore[attr-defined]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []
    families = {str(kind.family) for kind in refusals()}  # type: ignore[attr-defined]
    assert families <= set(STATUS)


def test_every_refusal_is_worded_in_both_languages() -> None:
    codes = {kind.code for kind in refusals()}  # type: ignore[attr-defined]
    worded = texts.wordings()
    assert sorted(codes - set(worded)) == []
    assert sorted(code for code, words in worded.items() if set(words) != {"zh", "en"}) == []


CLAUSE = re.compile(
    r"\b(?:national-2021-71|shandong-2022-156|weihai-2023-25|shanxi-2024-27"
    r"|heilongjiang-2023-13)/[0-9.]+/[a-z0-9-]+|\bannex/[a-z0-9-]+\Z"
)


def test_every_clause_named_in_code_and_data_exists() -> None:
    known = set(load().clauses)
    files = [
        *sources(*PACKAGES),
        *(ROOT / "inspection_plans").rglob("*.yaml"),
        *(ROOT / "docs").rglob("*.md"),
    ]
    named = {
        (str(file.relative_to(ROOT)), clause)
        for file in files
        for clause in CLAUSE.findall(file.read_text("utf-8"))
    }
    assert len({clause for _, clause in named}) > 300
    assert sorted(pair for pair in named if pair[1] not in known) == []


def test_every_task_kind_has_a_worker() -> None:
    enqueued = {
        node.args[0].value
        for file in sources("backend")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("tasks.enqueue", "enqueue")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert enqueued
    assert sorted(enqueued - set(worker.HANDLERS)) == []


def lines_of(node: ast.AST) -> int:
    return (getattr(node, "end_lineno", 0) or 0) - getattr(node, "lineno", 0) + 1


def nesting(node: ast.AST, depth: int = 0) -> int:
    """How deep the blocks of a function go; a comprehension or an ``elif`` is no level."""
    blocks = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)
    deepest = depth
    for child in ast.iter_child_nodes(node):
        inside = isinstance(child, blocks) and not (
            isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        )
        deepest = max(deepest, nesting(child, depth + inside))
    return deepest


def test_files_and_functions_stay_small() -> None:
    too_large, sizes, lengths = [], [], []
    for file in sources(*PACKAGES):
        text = file.read_text("utf-8")
        sizes.append(text.count("\n"))
        if sizes[-1] > LIMITS["file"]:
            too_large.append(f"{file.relative_to(ROOT)}: {sizes[-1]} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths.append(lines_of(node))
                where = f"{file.relative_to(ROOT)}::{node.name}"
                if lengths[-1] > LIMITS["function"]:
                    too_large.append(f"{where}: {lengths[-1]} lines")
                if nesting(node) > LIMITS["nesting"]:
                    too_large.append(f"{where}: nested {nesting(node)} deep")
    tests = {file: file.read_text("utf-8").count("\n") for file in (ROOT / "tests").rglob("*.py")}
    too_large += [
        f"{file}: {lines}" for file, lines in tests.items() if lines > LIMITS["test file"]
    ]
    assert too_large == []
    assert statistics.median(sizes) <= 150
    assert statistics.median(lengths) <= 12


def test_time_ids_and_environment_come_from_the_edge() -> None:
    """``os.environ`` is read in settings and at the command line's edge only.

    The phone's build hands it on to Node, as the servers' supervisor does to them.
    """
    readers = {
        str(file.relative_to(ROOT))
        for file in sources("backend", "inspection_plans", "media")
        if re.search(r"os\.(environ|getenv)", file.read_text("utf-8"))
    }
    allowed = {"backend/settings.py", "backend/piccolo_conf.py", "backend/commands/office.py"}
    allowed |= {"backend/phone/build.py"}
    assert readers <= allowed | {str(f.relative_to(ROOT)) for f in sources("backend/embedded")}

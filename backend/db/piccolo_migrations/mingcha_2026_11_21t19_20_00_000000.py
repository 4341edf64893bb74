"""Expand: filings of an office, their versions, their rows, what desk review says, public look-ups.

Locks: filing for the moment of dropping a NOT NULL and adding a column without default; finding, institution
and account for the moment of naming them in a key; every table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "versions and rows of filings, desk review, look-ups"

IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
INSTITUTION = "institution = (select nullif(current_setting('app.institution', true), '')::uuid)"
TABLES = """
alter table filing alter column institution drop not null;
alter table filing add column receipt jsonb;
create unique index uq_filing_office on filing (region, register, period) where institution is null;
create index ix_filing_institution on filing (institution, register, period);
create table filing_version (
  filing uuid not null references filing on delete restrict, rev int not null, region int not null,
  institution uuid references institution on delete restrict, state text not null, payload jsonb not null,
  sha256 text not null, reason text, by_account uuid not null references account on delete restrict,
  at timestamptz not null, primary key (filing, rev),
  constraint ck_filing_version_state check (state in ('draft', 'submitted', 'accepted', 'returned'))
);
create table filed_row (
  id uuid primary key, region int not null, institution uuid references institution on delete restrict,
  filing uuid references filing on delete restrict, register text not null, key text not null, person text,
  refs text[] not null, body jsonb, reviewed jsonb, changed_at timestamptz not null
);
create unique index uq_filed_row on filed_row (region, institution, register, key) nulls not distinct;
create index ix_filed_row_key on filed_row (register, key);
create index ix_filed_row_person on filed_row (person) where person is not null;
create index ix_filed_row_filing on filed_row (filing);
create index ix_filed_row_certificate on filed_row ((body ->> 'number')) where register = 'certificates';
create table desk_run (
  institution uuid primary key references institution on delete restrict, region int not null,
  as_of date not null, whole boolean not null, judged int not null, lacking text[] not null,
  reviewed_at timestamptz not null
);
create table desk_hit (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  rule text not null, judgement text not null, row_key text not null, about text not null, outcome text not null,
  verdict text not null, severity text not null, on_day date not null, inputs jsonb not null, clauses text[] not null,
  state text not null, found_at timestamptz not null, changed_at timestamptz not null, gone_at timestamptz,
  judged_by uuid references account on delete restrict, judged_at timestamptz, reason text,
  finding uuid references finding on delete restrict,
  constraint uq_desk_hit unique (institution, judgement, row_key, about, outcome),
  constraint ck_desk_hit_verdict check (verdict in ('finding', 'question')),
  constraint ck_desk_hit_state check (state in ('suspected', 'upheld', 'dismissed')),
  constraint ck_desk_hit_judged check ((state = 'suspected') or (judged_by is not null and judged_at is not null)),
  constraint ck_desk_hit_upheld check ((state = 'upheld') = (finding is not null)),
  constraint ck_desk_hit_dismissed check (state <> 'dismissed' or reason is not null)
);
create index ix_desk_hit_region on desk_hit (region, id desc) where gone_at is null;
create function certificate_lookup(wanted text, issued date) returns table (
  number text, occupation text, level text, direction text, issued_on date, issuer text
) language sql stable security definer set search_path = public, pg_temp as $$
  select r.body ->> 'number', r.body ->> 'occupation', r.body ->> 'level', r.body ->> 'direction',
    (r.body ->> 'issued_on')::date, i.name
  from filed_row r join institution i on i.id = r.institution join filing f on f.id = r.filing
  where r.register = 'certificates' and r.body ->> 'number' = wanted and f.state = 'accepted'
    and (r.body ->> 'issued_on')::date = issued
$$;
"""
RIGHTS = f"""
create policy p_scope on filing_version to mingcha_app, mingcha_worker using ({IN_SCOPE} or {INSTITUTION})
  with check ({IN_SCOPE} or {INSTITUTION});
create policy p_read on filed_row for select to mingcha_app using ({IN_SCOPE} or {INSTITUTION});
create policy p_product on filed_row to mingcha_worker using (true) with check (true);
create policy p_read on desk_run for select to mingcha_app using ({IN_SCOPE});
create policy p_product on desk_run to mingcha_worker using (true) with check (true);
create policy p_scope on desk_hit to mingcha_app, mingcha_worker using ({IN_SCOPE}) with check ({IN_SCOPE});
grant select, insert on filing_version to mingcha_app, mingcha_worker;
grant select on filed_row, desk_run to mingcha_app;
grant select, insert, update on filed_row, desk_run to mingcha_worker;
grant select, update (state, judged_by, judged_at, reason, finding) on desk_hit to mingcha_app;
grant select, insert, update on desk_hit to mingcha_worker;
create policy p_public on institution for select to mingcha_public using (true);
create policy p_public on catalogue_entry for select to mingcha_public using (true);
grant select (id, region, credit_code, name, kinds, home_region, status, fictional) on institution to mingcha_public;
grant select (id, institution, kind, occupation, levels, listed_on, valid_until, delisted_on, source_notice)
  on catalogue_entry to mingcha_public;
revoke all on function certificate_lookup(text, date) from public;
grant execute on function certificate_lookup(text, date) to mingcha_public, mingcha_app;
"""  # noqa: S608 - constants of this file


def rights() -> str:
    """Policies first, then what each role needs."""
    lines = []
    for table in ("filing_version", "filed_row", "desk_run", "desk_hit"):
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
        ]
    return "\n".join(lines) + RIGHTS


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, rights()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager

"""Expand: what the office decides about replies, stopped clocks, reminders, ways of service, cases.

Locks: notice, notice_finding, reply, service_proof and publication for the moment of adding columns
without a rewrite; two checks over few rows are widened; the tables are new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "casework in full"

WIDENED = """
alter table notice drop constraint ck_notice_state;
alter table notice add constraint ck_notice_state check (state in ('draft', 'legal_review', 'approved', 'issued',
  'served', 'answered', 'under_review', 'closed', 'second_order', 'case', 'void'));
alter table notice add column void_at timestamptz;
alter table notice add column void_by uuid references account on delete restrict;
alter table notice add column void_reason text;
alter table notice add column closing jsonb;
alter table notice add constraint ck_notice_void
  check ((state = 'void') = (void_at is not null) and (void_at is null) = (void_by is null)
    and (void_at is null) = (void_reason is null));
alter table notice_finding drop constraint ck_notice_finding_outcome;
alter table notice_finding add constraint ck_notice_finding_outcome
  check (outcome in ('accepted', 'not_accepted', 'reinspection', 'withdrawn'));
alter table notice_finding add column due_basis jsonb;
alter table reply add column wanted_on date;
alter table service_proof add column arrived_at timestamptz;
alter table publication add column objection_on date;
"""
TABLES = """
create table service_consent (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  reference text not null, address text not null, receiver text not null, agreed_on date not null,
  withdrawn_on date, recorded_by uuid not null references account on delete restrict, recorded_at timestamptz not null,
  constraint ck_service_consent_order check (withdrawn_on >= agreed_on)
);
create unique index uq_service_consent_standing on service_consent (institution, region) where withdrawn_on is null;
alter table service_proof add column consent uuid references service_consent on delete restrict;
create table service_attempt (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  notice uuid not null references notice on delete restrict, way text not null, outcome text not null,
  on_day date not null, details text not null, recorded_by uuid references account on delete restrict,
  recorded_at timestamptz not null,
  constraint ck_service_attempt_way
    check (way in ('electronic', 'in_person', 'post', 'left_with_witness', 'announcement')),
  constraint ck_service_attempt_outcome check (outcome in ('not_opened', 'absent', 'refused', 'returned'))
);
create index ix_service_attempt_notice on service_attempt (notice, id);
create table reply_decision (
  reply uuid primary key references reply on delete restrict, region int not null,
  institution uuid not null references institution on delete restrict,
  notice uuid not null references notice on delete restrict, finding uuid references finding on delete restrict,
  kind text not null, granted boolean not null, reason text not null, number text, due_before date, due_on date,
  decided_by uuid not null references account on delete restrict, decided_at timestamptz not null,
  constraint ck_reply_decision_kind check (kind in ('extension', 'objection')),
  constraint ck_reply_decision_days check ((kind = 'extension') = (due_before is not null)
    and (kind = 'extension' and granted) = (due_on is not null) and due_on > due_before),
  constraint uq_reply_decision_number unique (region, number)
);
create index ix_reply_decision_notice on reply_decision (notice);
create table clock_stop (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  notice uuid references notice on delete restrict, case_file uuid references case_file on delete restrict,
  whose text not null, ground text not null, first_on date not null, last_on date, reason text not null,
  paper text not null, begun_by uuid not null references account on delete restrict, begun_at timestamptz not null,
  ended_by uuid references account on delete restrict, ended_at timestamptz,
  constraint ck_clock_stop_about check (num_nonnulls(notice, case_file) = 1),
  constraint ck_clock_stop_whose check (whose in ('party', 'office')),
  constraint ck_clock_stop_ground check (ground in ('objection', 'stay', 'hearing')),
  constraint ck_clock_stop_order check (last_on >= first_on),
  constraint ck_clock_stop_end check (num_nulls(last_on, ended_by, ended_at) in (0, 3))
);
create unique index uq_clock_stop_open on clock_stop (coalesce(notice, case_file), whose, ground) where last_on is null;
create index ix_clock_stop_notice on clock_stop (notice) where notice is not null;
create index ix_clock_stop_case on clock_stop (case_file) where case_file is not null;
create table reminder (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  notice uuid not null references notice on delete restrict, step text not null, due_on date not null,
  on_day date not null, created_at timestamptz not null,
  constraint ck_reminder_step check (step in ('served', 'half', 'three', 'one', 'overdue')),
  constraint uq_reminder_step unique (notice, due_on, step)
);
create unique index uq_reminder_day on reminder (notice, on_day);
create index ix_reminder_institution on reminder (institution, on_day);
create table reinspection (
  visit uuid primary key references visit on delete restrict, region int not null,
  notice uuid not null references notice on delete restrict, findings uuid[] not null, way text not null, seed text,
  candidates uuid[] not null, ordered_by uuid not null references account on delete restrict,
  ordered_at timestamptz not null,
  constraint ck_reinspection_way check (way in ('same_team', 'draw', 'open')),
  constraint ck_reinspection_seed check ((way = 'draw') = (seed is not null))
);
create index ix_reinspection_notice on reinspection (notice);
create table case_step (
  id uuid primary key, region int not null, case_file uuid not null references case_file on delete restrict,
  kind text not null, body jsonb not null, number text, by_account uuid not null references account on delete restrict,
  at timestamptz not null,
  constraint ck_case_step_kind check (kind in ('investigation', 'statement', 'discussion', 'hearing_offer',
    'hearing_held', 'hearing_waived', 'legal_review', 'proposal', 'decision', 'hand_over', 'receipt', 'recovery',
    'payment', 'bad_record', 'recusal_request', 'recusal_decision')),
  constraint uq_case_step_number unique (region, number)
);
create index ix_case_step_case on case_step (case_file, id);
create table bad_record (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  case_file uuid not null references case_file on delete restrict, clause text not null, reason text not null,
  decided_on date not null, entered_on date not null, until_on date not null, ended_on date, ended_reason text,
  ended_by uuid references account on delete restrict,
  entered_by uuid not null references account on delete restrict, entered_at timestamptz not null,
  constraint ck_bad_record_order check (until_on >= entered_on and ended_on >= entered_on),
  constraint ck_bad_record_ended check (num_nulls(ended_on, ended_reason, ended_by) in (0, 3)),
  constraint uq_bad_record_case unique (case_file)
);
create index ix_bad_record_institution on bad_record (institution, entered_on);
"""
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
INSTITUTION = "(select nullif(current_setting('app.institution', true), '')::uuid)"
# What an institution sees of its own rows; the ways tried, visits to come and cases are the office's.
OWN = {
    "service_consent": "",
    "reply_decision": " and exists (select from notice n where n.id = notice)",
    "clock_stop": " and notice is not null and exists (select from notice n where n.id = notice)",
    "reminder": " and exists (select from notice n where n.id = notice)",
    "bad_record": "",
}
REGIONAL = ("service_attempt", "reinspection", "case_step")
STATES = "'served', 'answered', 'under_review', 'closed', 'second_order', 'case'"
NOTICE = f"(state in ({STATES}) or (state = 'void' and served_on is not null))"
FINDING = """(state in ('ordered', 'corrected', 'open') or (state = 'dismissed' and exists (
  select from notice_finding nf where nf.finding = finding.id and nf.outcome = 'withdrawn')))"""


def rights() -> str:
    """Policies and grants of the new tables, and what an institution goes on seeing of its papers."""
    lines = []
    for table in (*OWN, *REGIONAL):
        test = (
            IN_SCOPE
            if table in REGIONAL
            else f"{IN_SCOPE} or (institution = {INSTITUTION}{OWN[table]})"
        )
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
            f"create policy p_scope on {table} to mingcha_app, mingcha_worker using ({test}) with check ({test});",
            f"grant select, insert, update on {table} to mingcha_app, mingcha_worker;",
        ]
    for table, seen in (("notice", NOTICE), ("finding", FINDING)):
        test = f"{IN_SCOPE} or (institution = {INSTITUTION} and {seen})"
        lines.append(f"alter policy p_scope on {table} using ({test}) with check ({test});")
    # What a case was told stays as it was told.
    lines.append(
        "revoke update on case_step, reply_decision, service_attempt, reminder from mingcha_app, mingcha_worker;"
    )
    return "\n".join(lines)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (WIDENED, TABLES, rights()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager

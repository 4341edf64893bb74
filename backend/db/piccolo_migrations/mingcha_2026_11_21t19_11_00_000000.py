"""Expand: documents with their templates, exports of lists, when a bundle's file ends.

Locks: office, institution and account for the moment of naming them in a key; dossier for the
moment of adding a column without default. Every table is new.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T19:11:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "documents, templates, exports"

IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
INSTITUTION = "(select nullif(current_setting('app.institution', true), '')::uuid)"
TABLES = """
create table document_source (
  digest text primary key, content bytea not null, recorded_at timestamptz not null
);
create table document_template (
  id uuid primary key, region int not null, office uuid not null references office on delete restrict,
  kind text not null, rev int not null, body text not null, note text not null,
  made_by uuid not null references account on delete restrict, made_at timestamptz not null,
  constraint uq_document_template_rev unique (office, kind, rev)
);
create table document (
  id uuid primary key, region int not null, institution uuid references institution on delete restrict,
  office uuid not null references office on delete restrict, kind text not null, matter text not null,
  matter_id uuid not null, number text not null, code text not null, standing text not null,
  facts bytea not null, facts_sha256 text not null,
  source text not null references document_source on delete restrict,
  sha256 text, size bigint, pages int, object_key text, rendered_at timestamptz, fault text,
  void_sha256 text, void_key text,
  issued_by uuid not null references account on delete restrict, issued_at timestamptz not null,
  issued_on date not null, handed jsonb, handed_at timestamptz, handed_by uuid references account on delete restrict,
  void_at timestamptz, void_by uuid references account on delete restrict, void_reason text,
  constraint uq_document_code unique (code),
  constraint ck_document_standing check (standing in ('issued', 'void')),
  constraint ck_document_rendered check (num_nulls(sha256, size, pages, object_key, rendered_at) in (0, 5)),
  constraint ck_document_handed check (num_nulls(handed, handed_at, handed_by) in (0, 3)),
  constraint ck_document_void check ((standing = 'void') = (void_at is not null)
    and num_nulls(void_at, void_by, void_reason) in (0, 3))
);
create unique index uq_document_standing on document (kind, matter_id) where standing = 'issued';
create index ix_document_region on document (region, id);
create index ix_document_matter on document (matter_id, id);
create index ix_document_institution on document (institution, id) where handed_at is not null;
create table export_order (
  id uuid primary key, region int not null, institution uuid references institution on delete restrict,
  list text not null, form text not null, filters jsonb not null, progress text not null, done_rows bigint not null,
  object_key text, sha256 text, size bigint, fault text,
  ordered_by uuid not null references account on delete restrict, ordered_at timestamptz not null,
  ended_at timestamptz, expires_at timestamptz not null, deleted_at timestamptz,
  constraint ck_export_order_form check (form in ('xlsx', 'csv', 'json', 'geojson')),
  constraint ck_export_order_progress check (progress in ('running', 'done', 'cancelled', 'failed')),
  constraint ck_export_order_done check ((progress = 'done') = (sha256 is not null)),
  constraint ck_export_order_ended check ((progress = 'running') = (ended_at is null))
);
create index ix_export_order_owner on export_order (ordered_by, id);
create index ix_export_order_expiry on export_order (expires_at) where deleted_at is null and object_key is not null;
alter table dossier add column deleted_at timestamptz;
"""
OWN = {
    "document": f"{IN_SCOPE} or (institution = {INSTITUTION} and handed_at is not null)",
    "document_template": IN_SCOPE,
    "export_order": f"{IN_SCOPE} or institution = {INSTITUTION}",
}


def rights() -> str:
    """What a public page may know of a document is five columns; a template's bytes stay."""
    lines = []
    for table in (*OWN, "document_source"):
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
        ]
    for table, test in OWN.items():
        lines += [
            f"create policy p_scope on {table} to mingcha_app, mingcha_worker using ({test}) with check ({test});",
            f"grant select, insert, update on {table} to mingcha_app, mingcha_worker;",
        ]
    lines += [
        "revoke update on document_template from mingcha_app, mingcha_worker;",
        "create policy p_shared on document_source to mingcha_app, mingcha_worker using (true) with check (true);",
        "grant select, insert on document_source to mingcha_app, mingcha_worker;",
        "create policy p_public on document for select to mingcha_public using (true);",
        "grant select (code, number, issued_on, sha256, standing) on document to mingcha_public;",
    ]
    return "\n".join(lines)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (TABLES, rights()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager

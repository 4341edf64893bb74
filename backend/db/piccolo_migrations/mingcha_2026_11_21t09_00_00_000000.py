"""Expand: the tables of the whole circle, roles' rights, row-level security.

Locks: nothing that exists; all objects are new. Roles mingcha_{owner,app,worker,public,seq} must
exist and own nothing but, for the owner, the database; `mingcha doctor` says so when they do not.
"""

from typing import cast

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

from backend.db.engine import Engine

ID = "2026-11-21T09:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "tables of the whole circle"

PEOPLE = """
create table installation (
  id uuid primary key, name text not null, log_origin text not null, created_at timestamptz not null
);
create table region (
  code int primary key, parent int references region on delete restrict, level text not null,
  name_zh text not null, name_en text not null, valid_from int not null, valid_until int,
  constraint ck_region_level check (level in ('nation', 'province', 'prefecture'))
);
create index ix_region_parent on region (parent);
create table office (
  id uuid primary key, region int not null, name text not null, short_name text not null,
  department text not null, created_at timestamptz not null,
  constraint uq_office_region_department unique (region, department)
);
create table account (
  id uuid primary key, region int not null, institution uuid, office uuid references office on delete restrict,
  kind text not null, login text not null, display_name text not null, password_hash text,
  created_at timestamptz not null, disabled_at timestamptz, failed_count int not null,
  locked_until timestamptz, password_changed_at timestamptz,
  constraint uq_account_login unique (login),
  constraint ck_account_kind check (kind in ('office', 'institution', 'system')),
  constraint ck_account_institution check ((kind = 'institution') = (institution is not null))
);
create table role_assignment (
  id uuid primary key, account uuid not null references account on delete restrict, region int not null,
  institution uuid, role text not null, department text, valid_from date not null, valid_until date,
  delegated_by uuid references account on delete restrict, created_at timestamptz not null,
  revoked_at timestamptz
);
create index ix_role_account on role_assignment (account);
create unique index uq_role_three_admins on role_assignment (account)
  where role in ('sysadmin', 'secadmin', 'auditadmin') and revoked_at is null;
create table device (
  id uuid primary key, region int not null, account uuid not null references account on delete restrict,
  spki bytea not null, kid text not null, user_agent text not null, platform text not null,
  persisted boolean not null, enrolled_at timestamptz not null,
  approved_by uuid not null references account on delete restrict,
  revoked_at timestamptz, compromised_since timestamptz, last_seen_at timestamptz,
  heartbeat jsonb, constraint uq_device_kid unique (kid)
);
create index ix_device_account on device (account);
create table enrolment (
  id uuid primary key, region int not null, account uuid not null references account on delete restrict,
  code_hash bytea not null, approved_by uuid not null references account on delete restrict,
  created_at timestamptz not null, expires_at timestamptz not null, used_at timestamptz,
  constraint uq_enrolment_code unique (code_hash)
);
create table access_token (
  hash bytea primary key, refresh_hash bytea not null, region int not null,
  account uuid not null references account on delete restrict,
  device uuid references device on delete restrict, issued_at timestamptz not null,
  expires_at timestamptz not null, refresh_expires_at timestamptz not null,
  family_expires_at timestamptz not null, revoked_at timestamptz,
  constraint uq_access_token_refresh unique (refresh_hash)
);
create index ix_access_token_account on access_token (account);
create table one_time_link (
  hash bytea primary key, region int not null, account uuid not null references account on delete restrict,
  purpose text not null, created_at timestamptz not null, expires_at timestamptz not null,
  used_at timestamptz
);
create table session_kv (key text primary key, value bytea not null, expires_at timestamptz);
create unlogged table rate_kv (key text primary key, value bytea not null, expires_at timestamptz);
"""

DIRECTORIES = """
create table occupation (
  code text primary key, name_zh text not null, name_en text not null, levels text[] not null,
  source text not null
);
create table institution (
  id uuid primary key, region int not null, credit_code text not null, name text not null,
  kinds text[] not null, home_region int not null, is_base boolean not null, risk_class text not null,
  frequency_cap int, status text not null, legal_person text, phone text, address text, lat_e7 int, lon_e7 int, crs text,
  fictional boolean not null, rev int not null, created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint uq_institution_region_credit_code unique (region, credit_code),
  constraint ck_institution_risk_class check (risk_class in ('A', 'B', 'C', 'D')),
  constraint ck_institution_status check (status in ('active', 'suspended', 'closed', 'moved'))
);
create index ix_institution_region on institution (region, id);
create table catalogue_entry (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  kind text not null, occupation text not null references occupation on delete restrict,
  levels text[] not null, listed_on date not null, valid_until date not null, source_notice text not null,
  delisted_on date, created_at timestamptz not null,
  constraint ck_catalogue_entry_kind check (kind in ('training', 'evaluation')),
  constraint ck_catalogue_entry_term check (valid_until >= listed_on),
  constraint uq_catalogue_entry unique (institution, kind, occupation, listed_on)
);
create table inspector (
  id uuid primary key, region int not null, account uuid references account on delete restrict,
  staff_code text not null, name text not null, department text not null, unit text not null,
  licence_no text not null, licence_until date not null, lead boolean not null, skills text[] not null,
  areas int[] not null, cap int not null, available boolean not null, rev int not null,
  created_at timestamptz not null, updated_at timestamptz not null,
  constraint uq_inspector_region_staff_code unique (region, staff_code),
  constraint uq_inspector_licence unique (region, licence_no),
  constraint ck_inspector_cap check (cap >= 0)
);
create index ix_inspector_region on inspector (region, id);
create table inspector_relation (
  id uuid primary key, region int not null, inspector uuid not null references inspector on delete restrict,
  institution uuid not null references institution on delete restrict, ground text not null,
  declared_on date not null, until date, created_at timestamptz not null
);
create index ix_inspector_relation_inspector on inspector_relation (inspector);
create table directory_version (
  id uuid primary key, region int not null, institution uuid, kind text not null, subject uuid not null,
  rev int not null, valid_from timestamptz not null, payload jsonb not null,
  recorded_by uuid references account on delete restrict, import_run uuid,
  constraint uq_directory_version unique (kind, subject, rev)
);
create table import_run (
  id uuid primary key, region int not null, kind text not null, file_name text not null, sha256 text not null,
  dry_run boolean not null, state text not null, row_count int not null, created_count int not null,
  updated_count int not null, unchanged_count int not null, errors jsonb not null,
  by_account uuid not null references account on delete restrict, created_at timestamptz not null,
  constraint ck_import_run_state check (state in ('checked', 'refused', 'imported'))
);
create table training_class (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  code text not null, title text not null, occupation text not null, level text not null, mode text not null,
  venue_region int not null, venue text not null, teacher text not null, starts_on date not null,
  ends_on date not null, status text not null, created_at timestamptz not null,
  constraint uq_training_class unique (institution, code),
  constraint ck_training_class_mode check (mode in ('offline', 'online', 'mixed')),
  constraint ck_training_class_status check (status in ('planned', 'running', 'ended', 'cancelled'))
);
create index ix_training_class_region on training_class (region, id);
create table class_session (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  training_class uuid not null references training_class on delete restrict, code text not null,
  on_date date not null, starts_at timestamptz not null, ends_at timestamptz not null, mode text not null,
  minutes int not null, status text not null,
  constraint uq_class_session unique (training_class, code),
  constraint ck_class_session_minutes check (minutes > 0),
  constraint ck_class_session_status check (status in ('planned', 'held', 'moved', 'cancelled'))
);
create table trainee (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  training_class uuid not null references training_class on delete restrict, roster_no int not null,
  name text not null, id_tail text not null,
  constraint uq_trainee unique (training_class, roster_no),
  constraint ck_trainee_id_tail check (length(id_tail) = 4)
);
create table inspection_item (
  id uuid primary key, region int not null, code text not null, title text not null, law_basis text,
  competent_authority text, object_kind text not null, way text not null, ratio text not null,
  frequency_cap int not null, constraint uq_inspection_item unique (region, code)
);
"""

DRAWS = """
create table plan (
  id uuid primary key, region int not null, office uuid not null references office on delete restrict,
  code text not null, title text not null, year int not null, period text not null, state text not null,
  targeted boolean not null, spec jsonb not null, window_from date not null, window_until date not null,
  fire_at timestamptz not null, rev int not null, created_by uuid not null references account on delete restrict,
  submitted_by uuid references account on delete restrict, approved_by uuid references account on delete restrict,
  reason text, created_at timestamptz not null, updated_at timestamptz not null,
  constraint uq_plan_code unique (region, code),
  constraint ck_plan_window check (window_until >= window_from),
  constraint ck_plan_two_persons check (approved_by is null or approved_by <> submitted_by),
  constraint ck_plan_state check (state in
    ('draft', 'submitted', 'approved', 'running', 'closed', 'rejected', 'cancelled'))
);
create index ix_plan_region on plan (region, id);
create index ix_plan_due on plan (fire_at) where state = 'approved';
create table party (
  id uuid primary key, region int not null, code text not null, name text not null, kind text not null,
  public_key bytea not null, active boolean not null, created_at timestamptz not null,
  constraint uq_party_code unique (region, code),
  constraint ck_party_kind check (kind in ('operator', 'supervisor', 'association', 'discipline'))
);
create table draw (
  id uuid primary key, region int not null, plan uuid not null references plan on delete restrict,
  code text not null, attempt int not null, alg text not null, origin text not null, level text not null,
  state text not null, parties text[] not null, entropy jsonb not null, object_count int not null,
  inspector_count int not null, frame_objects text not null, frame_inspectors text not null,
  blocked_digest text not null, plan_digest text not null, reveal_by timestamptz not null,
  disclose_on date not null, late_by_s int not null, seed text, void_reason text, voided_by uuid references account on delete restrict,
  void_proposed_by uuid references account on delete restrict, frozen_at timestamptz not null,
  drawn_at timestamptz, published_at timestamptz, head text not null,
  constraint uq_draw_plan_attempt unique (plan, attempt),
  constraint ck_draw_void check (state <> 'void' or void_reason is not null),
  constraint ck_draw_void_two_persons check (voided_by is null or voided_by <> void_proposed_by),
  constraint ck_draw_state check (state in ('frozen', 'revealed', 'drawn', 'published', 'void'))
);
create unique index uq_draw_one_result on draw (plan) where state in ('drawn', 'published');
create index ix_draw_region on draw (region, id);
create table draw_frame (
  draw uuid primary key references draw on delete restrict, region int not null, plan_doc jsonb not null,
  objects jsonb not null, inspectors jsonb not null, blocked jsonb not null, pseudonyms jsonb not null,
  object_key bytea not null, inspector_key bytea not null
);
create table draw_share (
  draw uuid not null references draw on delete restrict, party text not null, region int not null,
  commitment text not null, secret bytea, committed_at timestamptz not null, revealed_at timestamptz,
  primary key (draw, party)
);
create table draw_result (
  draw uuid primary key references draw on delete restrict, region int not null,
  selection jsonb not null, assignment jsonb not null, days jsonb not null
);
create table draw_log (
  region int not null, year int not null, seq int not null, draw uuid references draw on delete restrict,
  prev text not null, at timestamptz not null, type text not null, body jsonb not null, hash text not null,
  primary key (region, year, seq), constraint uq_draw_log_hash unique (hash)
);
create index ix_draw_log_draw on draw_log (draw);
create table draw_page (
  draw uuid primary key references draw on delete restrict, region int not null, code text not null,
  attempt int not null, state text not null, disclose_on date not null, etag text not null, body bytea not null,
  updated_at timestamptz not null, constraint uq_draw_page_code unique (code, attempt)
);
create table draw_countersign (
  region int not null, hash text not null, party text not null, signature bytea not null,
  signed_at timestamptz not null, primary key (hash, party)
);
"""

VISITS = """
create table visit (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  code text not null, plan uuid references plan on delete restrict, draw uuid references draw on delete restrict,
  origin_notice uuid, kind text not null, unannounced boolean not null, selection text not null, chance text,
  training_class uuid references training_class on delete restrict,
  class_session uuid references class_session on delete restrict,
  sheet text not null, sheet_digest text not null, jurisdiction text not null, on_date date not null,
  sealed_until timestamptz not null, state text not null, epoch int not null, challenge text not null,
  roster_sha256 text, opened_at timestamptz, started_at timestamptz, submitted_at timestamptz,
  completed_at timestamptz, reviewed_at timestamptz, reviewed_by uuid references account on delete restrict,
  review_reason text, concluded_at timestamptz, gap jsonb, gap_reason text,
  gap_proposed_by uuid references account on delete restrict, gap_approved_by uuid references account on delete restrict,
  created_at timestamptz not null,
  constraint ck_visit_gap_two_persons check (gap_approved_by is null or gap_approved_by <> gap_proposed_by),
  constraint uq_visit_code unique (region, code),
  constraint ck_visit_kind check (kind in ('training_site', 'class_session', 'evaluation_site', 'exam_patrol',
    'document_review', 'remote_class')),
  constraint ck_visit_selection check (selection in ('random', 'directed', 'complaint', 'reinspection')),
  constraint ck_visit_state check (state in ('drawn', 'assigned', 'opened', 'started', 'submitted', 'complete',
    'accepted', 'returned', 'concluded', 'recused', 'reserve', 'unreachable', 'closed', 'refused', 'needs_decision',
    'concluded_with_gap'))
);
create index ix_visit_region on visit (region, id);
create index ix_visit_institution on visit (institution, id);
create index ix_visit_state on visit (region, state, id);
create table assignment (
  id uuid primary key, region int not null, visit uuid not null references visit on delete restrict,
  inspector uuid not null references inspector on delete restrict, place int not null, lead boolean not null,
  epoch int not null, state text not null, reason text, created_at timestamptz not null, ended_at timestamptz,
  constraint ck_assignment_state check (state in ('active', 'recused', 'replaced', 'declined'))
);
create unique index uq_assignment_active on assignment (visit, inspector) where state = 'active';
create unique index uq_assignment_place on assignment (visit, place) where state = 'active';
create index ix_assignment_inspector on assignment (inspector, visit);
create table op (
  op_id uuid primary key, region int not null, dev uuid not null, inst_epoch text not null, seq bigint not null,
  kind text not null, visit uuid, digest text not null, envelope bytea not null, status text not null,
  result bytea not null, received_at timestamptz not null,
  constraint uq_op_dev_seq unique (dev, inst_epoch, seq),
  constraint ck_op_status check (status in ('applied', 'blocked', 'rejected'))
);
create index ix_op_visit on op (visit, dev);
create index ix_op_blocked on op (dev, seq) where status = 'blocked';
create table dead_letter (
  id uuid primary key, op_id uuid, region int not null, visit uuid, code text not null, envelope bytea not null,
  envelope_sha256 bytea not null, state text not null, reason text,
  closed_by uuid references account on delete restrict, created_at timestamptz not null, closed_at timestamptz,
  constraint uq_dead_letter_envelope unique (envelope_sha256),
  constraint ck_dead_letter_state check (state in ('open', 'applied', 'closed'))
);
create table answer (
  visit uuid not null references visit on delete restrict, dev uuid not null, item text not null,
  region int not null, institution uuid not null, inspector uuid not null, seq bigint not null,
  value jsonb, verdict text not null, failed text[], reason text, flags text[] not null, canon text not null,
  op_id uuid not null, recorded_at timestamptz not null, primary key (visit, dev, item),
  constraint ck_answer_verdict check (verdict in ('pass', 'fail', 'not_applicable', 'could_not_check'))
);
create table visit_event (
  op_id uuid primary key, region int not null, institution uuid not null,
  visit uuid not null references visit on delete restrict, dev uuid not null, inspector uuid not null,
  seq bigint not null, kind text not null, body jsonb not null, flags text[] not null,
  recorded_at timestamptz not null
);
create index ix_visit_event_visit on visit_event (visit, kind);
create table rollcall (
  id uuid primary key, region int not null, institution uuid not null,
  visit uuid not null references visit on delete restrict,
  training_class uuid not null references training_class on delete restrict, dev uuid not null, op_id uuid not null,
  roster_sha256 text not null, roster_count int not null, called_count int not null, present_count int not null,
  absent_count int not null, stranger_count int not null, head_count int, at_least_absent int not null,
  statement jsonb not null, taken_at timestamptz not null,
  constraint uq_rollcall_op unique (op_id),
  constraint ck_rollcall_counts check (called_count <= roster_count and present_count + absent_count <= called_count)
);
create index ix_rollcall_visit on rollcall (visit);
create table rollcall_mark (
  rollcall uuid not null references rollcall on delete restrict,
  trainee uuid not null references trainee on delete restrict, region int not null, state text not null,
  primary key (rollcall, trainee),
  constraint ck_rollcall_mark_state check (state in ('present', 'absent', 'late', 'excused'))
);
create table evidence (
  id uuid primary key, region int not null, institution uuid not null, visit uuid references visit on delete restrict,
  notice uuid, channel text not null, item text, dev uuid, kid text, inst_epoch text, seq bigint,
  manifest bytea not null, manifest_sha256 text not null, signature bytea, sha256 text not null,
  size bigint not null, mime text not null, source text not null, transport jsonb not null,
  state text not null, reason text, flags text[] not null, late boolean not null, disclosed boolean not null,
  object_key text, version_id text, captured_at timestamptz, location jsonb, facts jsonb,
  declared_at timestamptz not null, received_at timestamptz, verified_at timestamptz, sealed_at timestamptz,
  entry bigint,
  constraint ck_evidence_channel check (channel in ('phone', 'portal', 'desk')),
  constraint ck_evidence_size check (size >= 0),
  constraint ck_evidence_state check (state in ('declared', 'uploading', 'received', 'verified', 'sealed',
    'quarantined', 'missing', 'withdrawn'))
);
create index ix_evidence_visit on evidence (visit, id);
create index ix_evidence_notice on evidence (notice, id);
create index ix_evidence_sha256 on evidence (sha256);
create index ix_evidence_unsealed on evidence (entry) where state = 'verified';
create index ix_evidence_dev_seq on evidence (dev, inst_epoch, seq);
create index ix_evidence_dev_declared on evidence (dev, declared_at);
create table derivative (
  id uuid primary key, region int not null, institution uuid not null,
  evidence uuid not null references evidence on delete restrict, kind text not null, parent_sha256 text not null,
  sha256 text not null, size bigint not null, object_key text not null, recipe jsonb not null,
  created_at timestamptz not null, constraint uq_derivative unique (evidence, kind),
  constraint ck_derivative_kind check (kind in ('thumb', 'preview', 'redacted', 'annotated', 'transcode'))
);
create table receipt (
  id bigint generated always as identity primary key, region int not null, dev uuid,
  evidence uuid not null references evidence on delete restrict, body bytea not null, signature bytea not null,
  created_at timestamptz not null, constraint uq_receipt_evidence unique (evidence)
);
create index ix_receipt_dev on receipt (dev, id);
create table claim (
  visit uuid not null references visit on delete restrict, dev uuid not null, region int not null,
  op_id uuid not null, items jsonb not null, answers_sha256 text not null, seq bigint not null,
  claimed_at timestamptz not null, closed_by uuid references account on delete restrict,
  close_proposed_by uuid references account on delete restrict, close_reason text, primary key (visit, dev),
  constraint ck_claim_two_persons check (closed_by is null or closed_by <> close_proposed_by)
);
"""

CASEWORK = """
create table finding (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  visit uuid references visit on delete restrict, item text not null, source text not null, title_zh text not null,
  detail text not null, severity text not null, clauses text[] not null, state text not null,
  evidence uuid[] not null, verified_by uuid references account on delete restrict, verified_at timestamptz,
  reason text, created_at timestamptz not null,
  constraint uq_finding_visit_item unique (visit, item),
  constraint ck_finding_severity check (severity in ('critical', 'major', 'minor', 'info')),
  constraint ck_finding_verified check (state in ('suspected', 'dismissed') or (verified_by is not null
    and cardinality(evidence) > 0)),
  constraint ck_finding_state check (state in
    ('suspected', 'verified', 'dismissed', 'ordered', 'no_action', 'corrected', 'open'))
);
create index ix_finding_region on finding (region, id);
create index ix_finding_institution on finding (institution, id);
create table number_sequence (
  region int not null, issuer uuid not null references office on delete restrict, kind text not null, year int not null,
  last int not null, primary key (issuer, kind, year)
);
create table notice (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  visit uuid references visit on delete restrict, office uuid not null references office on delete restrict,
  follows uuid references notice on delete restrict, kind text not null, state text not null, number text,
  year int, seq int, basis text, competent_authority text, body jsonb not null, rev int not null,
  author uuid not null references account on delete restrict, legal_by uuid references account on delete restrict,
  legal_reason text, approved_by uuid references account on delete restrict, approved_at timestamptz,
  issued_at timestamptz, served_on date, due_on date, due_basis jsonb, closed_at timestamptz,
  closed_by uuid references account on delete restrict, created_at timestamptz not null, updated_at timestamptz not null,
  constraint uq_notice_number unique (office, kind, year, seq),
  constraint ck_notice_number check ((number is null) = (issued_at is null)),
  constraint ck_notice_two_persons check (approved_by is null or approved_by <> author),
  constraint ck_notice_order_basis check (kind <> 'order' or state = 'draft' or basis is not null),
  constraint ck_notice_kind check (kind in ('order', 'advice')),
  constraint ck_notice_state check (state in ('draft', 'legal_review', 'approved', 'issued', 'served', 'answered',
    'under_review', 'closed', 'second_order', 'case'))
);
create index ix_notice_region on notice (region, id);
create index ix_notice_institution on notice (institution, id);
alter table evidence add constraint fk_evidence_notice foreign key (notice) references notice on delete restrict;
alter table visit add constraint fk_visit_origin_notice foreign key (origin_notice) references notice on delete restrict;
create table notice_finding (
  notice uuid not null references notice on delete restrict, finding uuid not null references finding on delete restrict,
  region int not null, institution uuid not null, demand text not null, evidence_asked text not null,
  due_on date, outcome text, outcome_reason text, refused_count int not null,
  decided_by uuid references account on delete restrict, decided_at timestamptz, primary key (notice, finding),
  constraint ck_notice_finding_outcome check (outcome in ('accepted', 'not_accepted', 'reinspection'))
);
create index ix_notice_finding_finding on notice_finding (finding);
create table service_proof (
  id uuid primary key, region int not null, institution uuid not null, notice uuid not null references notice on delete restrict,
  way text not null, receiver text not null, details jsonb not null, served_at timestamptz not null,
  recorded_by uuid references account on delete restrict, first_viewed_at timestamptz,
  first_viewed_by uuid references account on delete restrict,
  constraint ck_service_proof_way check (way in ('electronic', 'in_person', 'post', 'left_with_witness', 'announcement'))
);
create index ix_service_proof_notice on service_proof (notice);
create table reply (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  notice uuid not null references notice on delete restrict, finding uuid references finding on delete restrict,
  kind text not null, text text not null, evidence uuid[] not null, state text not null, digest text,
  receipt jsonb, by_account uuid not null references account on delete restrict,
  created_at timestamptz not null, submitted_at timestamptz,
  constraint ck_reply_kind check (kind in ('rectified', 'statement', 'objection', 'extension', 'admission')),
  constraint ck_reply_state check (state in ('draft', 'submitted')),
  constraint ck_reply_submitted check ((state = 'submitted') = (submitted_at is not null))
);
create index ix_reply_notice on reply (notice);
create table case_file (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  notice uuid references notice on delete restrict, findings uuid[] not null, state text not null,
  reason text not null, opened_by uuid not null references account on delete restrict,
  closed_by uuid references account on delete restrict, outcome text, opened_at timestamptz not null,
  closed_at timestamptz,
  constraint ck_case_two_persons check (closed_by is null or closed_by <> opened_by),
  constraint ck_case_state check (state in
    ('opened', 'verified', 'delisting_proposed', 'decided', 'handed_over', 'closed'))
);
create index ix_case_institution on case_file (institution, id);
create table publication (
  id uuid primary key, region int not null, institution uuid references institution on delete restrict,
  kind text not null, subject uuid not null, state text not null, wordings text[] not null, body jsonb not null,
  digest text not null, corrects uuid references publication on delete restrict, due_on date not null,
  prepared_by uuid not null references account on delete restrict, approved_by uuid references account on delete restrict,
  prepared_at timestamptz not null, published_at timestamptz, expires_on date,
  constraint ck_publication_kind check (kind in ('plan', 'draw', 'result')),
  constraint ck_publication_two_persons check (approved_by is null or approved_by <> prepared_by),
  constraint ck_publication_state check (state in ('prepared', 'approved', 'published', 'corrected', 'expired'))
);
create unique index uq_publication_pending on publication (kind, subject) where state in ('prepared', 'approved');
create unique index uq_publication_live on publication (kind, subject) where state = 'published';
create index ix_publication_region on publication (region, id);
create index ix_publication_public on publication (kind, id) where state in ('published', 'corrected', 'expired');
create table filing (
  id uuid primary key, region int not null, institution uuid not null references institution on delete restrict,
  register text not null, period text not null, state text not null, payload jsonb not null, rev int not null,
  reason text, by_account uuid not null references account on delete restrict, created_at timestamptz not null,
  submitted_at timestamptz, decided_at timestamptz, decided_by uuid references account on delete restrict,
  constraint uq_filing unique (institution, register, period),
  constraint ck_filing_state check (state in ('draft', 'submitted', 'accepted', 'returned'))
);
create index ix_filing_region on filing (region, register, id);
"""

MACHINERY = """
create table task (
  id bigint generated always as identity primary key, queue text not null, kind text not null, region int not null,
  payload jsonb not null, dedupe text, run_at timestamptz not null, attempts int not null, max_attempts int not null,
  locked_until timestamptz, done_at timestamptz, last_error text, created_at timestamptz not null
);
create index ix_task_ready on task (queue, run_at) where done_at is null;
create unique index uq_task_dedupe on task (kind, dedupe) where done_at is null and dedupe is not null;
create table occurrence (
  schedule text not null, fire_at timestamptz not null, region int not null, late_by_s int not null,
  created_at timestamptz not null, primary key (schedule, fire_at)
);
create schema aud;
create table aud.entry (
  id bigint generated always as identity primary key, xid xid8 not null default pg_current_xact_id(),
  region int not null, leaf bytea not null, body jsonb not null, tree_index bigint,
  constraint ck_entry_leaf check (octet_length(leaf) = 32), constraint uq_entry_tree_index unique (tree_index)
);
create index ix_entry_pending on aud.entry (id) where tree_index is null;
create index ix_entry_object on aud.entry ((body -> 'object' ->> 'id'));
create table aud.node (level int not null, idx bigint not null, h bytea not null, primary key (level, idx));
create table aud.checkpoint (
  size bigint primary key, root bytea not null, note text not null, tsr bytea, created_at timestamptz not null,
  anchored_at timestamptz
);
create function aud.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only' using errcode = '42501';
end $$;
create function aud.seal_only() returns trigger language plpgsql as $$
begin
  if old.tree_index is null and new.tree_index is not null
     and (old.id, old.xid, old.region, old.leaf, old.body) is not distinct from (new.id, new.xid, new.region, new.leaf, new.body)
  then return new; end if;
  raise exception 'the audit log is append-only' using errcode = '42501';
end $$;
create trigger tr_entry_seal before update on aud.entry for each row execute function aud.seal_only();
create trigger tr_entry_delete before delete on aud.entry for each row execute function aud.refuse();
create trigger tr_entry_truncate before truncate on aud.entry execute function aud.refuse();
create trigger tr_node_change before update or delete on aud.node for each row execute function aud.refuse();
create trigger tr_node_truncate before truncate on aud.node execute function aud.refuse();
"""

FUNCTIONS = """
create function regions_below(root int) returns int[] language sql stable as $$
  with recursive tree as (
    select code from region where code = root
    union all select r.code from region r join tree t on r.parent = t.code)
  select array_agg(code order by code) from tree
$$;
create function auth_login(wanted text) returns setof account language sql stable security definer
  set search_path = public, pg_temp as $$ select * from account where login = wanted $$;
create function auth_person(wanted uuid, today date) returns table (
    account uuid, region int, institution uuid, office uuid, display_name text, kind text,
    regions int[], roles text[], inspector uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
  select a.id, a.region, a.institution, a.office, a.display_name, a.kind,
    coalesce((select array_agg(distinct c order by c) from role_assignment r, unnest(regions_below(r.region)) c
      where r.account = a.id and r.revoked_at is null and r.institution is null
        and r.valid_from <= today and (r.valid_until is null or r.valid_until >= today)), '{}'),
    coalesce((select array_agg(distinct r.role order by r.role) from role_assignment r
      where r.account = a.id and r.revoked_at is null
        and r.valid_from <= today and (r.valid_until is null or r.valid_until >= today)), '{}'),
    (select i.id from inspector i where i.account = a.id)
  from account a where a.id = wanted and a.disabled_at is null
$$;
create function auth_token(wanted bytea, at timestamptz) returns table (account uuid, device uuid, kid text, spki bytea)
  language sql stable security definer set search_path = public, pg_temp as $$
  select t.account, t.device, d.kid, d.spki from access_token t left join device d on d.id = t.device
  where t.hash = wanted and t.revoked_at is null and t.expires_at > at and (d.id is null or d.revoked_at is null)
$$;
create function auth_refresh(wanted bytea) returns setof access_token language sql stable security definer
  set search_path = public, pg_temp as $$ select * from access_token where refresh_hash = wanted $$;
create function auth_link(wanted bytea, at timestamptz) returns table (account uuid, region int, purpose text)
  language sql stable security definer set search_path = public, pg_temp as $$
  select l.account, l.region, l.purpose from one_time_link l
  where l.hash = wanted and l.used_at is null and l.expires_at > at
$$;
create function visit_missing(wanted uuid) returns table (what text, id text) language sql stable as $$
  select 'claim', d.dev::text from (select distinct dev from op where visit = wanted
      and status in ('applied', 'blocked') and kind <> 'recusal.declare') d
    where not exists (select from claim c where c.visit = wanted and c.dev = d.dev)
  union all
  select 'evidence', i ->> 'id' from claim c, jsonb_array_elements(c.items) i
    where c.visit = wanted and c.closed_by is null and not exists (
      select from evidence e where e.id = (i ->> 'id')::uuid and e.visit = wanted and e.sha256 = i ->> 'sha256'
        and e.state in ('verified', 'sealed'))
  union all
  select 'answers', c.dev::text from claim c where c.visit = wanted and c.closed_by is null
    and c.answers_sha256 <> encode(sha256(convert_to('[' || coalesce((select string_agg(a.canon, ',' order by a.item
      collate "C") from answer a where a.visit = wanted and a.dev = c.dev), '') || ']', 'UTF8')), 'hex')
  union all
  select 'certificate_shown', '' where not exists (select from visit_event where visit = wanted
    and kind = 'certificate.shown' and not 'stale_assignment' = any (flags))
  union all
  select 'inspector_signatures', '' where (select count(distinct e.body ->> 'inspector') from visit_event e
    join assignment a on a.visit = e.visit and a.inspector::text = e.body ->> 'inspector' and a.state = 'active'
    where e.visit = wanted and e.kind = 'signature.record' and e.body ->> 'role' = 'inspector') < 2
  union all
  select 'party_signature', '' where not exists (select from visit_event where visit = wanted
    and kind = 'signature.record' and body ->> 'role' in ('party', 'refusal'))
  union all
  select 'rollcall', '' from visit v where v.id = wanted and v.kind = 'class_session'
    and not exists (select from rollcall r where r.visit = wanted)
$$;
"""

# What an institution's own user may see of its rows; regions always see theirs.
DISCLOSED = {
    "institution": "id = {i}",
    "account": "institution = {i}",
    "role_assignment": "institution = {i}",
    "catalogue_entry": "institution = {i}",
    "directory_version": (
        "institution = {i} and kind in ('institution', 'catalogue', 'training_class', 'schedule', 'roster')"
    ),
    "training_class": "institution = {i}",
    "class_session": "institution = {i}",
    "trainee": "institution = {i}",
    "visit": (
        "institution = {i} and state in ('submitted', 'complete', 'accepted', 'returned', 'concluded',"
        " 'concluded_with_gap')"
    ),
    "evidence": "institution = {i} and (disclosed or channel = 'portal')",
    "derivative": (
        "institution = {i} and exists (select from evidence e where e.id = evidence and e.disclosed)"
    ),
    "receipt": (
        "exists (select from evidence e where e.id = evidence and e.channel = 'portal' and e.institution = {i})"
    ),
    "finding": "institution = {i} and state in ('ordered', 'corrected', 'open')",
    "notice": (
        "institution = {i} and state in ('served', 'answered', 'under_review', 'closed', 'second_order', 'case')"
    ),
    "notice_finding": "institution = {i} and exists (select from notice n where n.id = notice)",
    "service_proof": "institution = {i} and exists (select from notice n where n.id = notice)",
    "reply": "institution = {i}",
    "publication": "institution = {i} and state in ('published', 'corrected', 'expired')",
    "filing": "institution = {i}",
}
REGIONAL = (
    "office",
    "device",
    "enrolment",
    "access_token",
    "one_time_link",
    "inspector",
    "inspector_relation",
    "import_run",
    "inspection_item",
    "plan",
    "party",
    "draw",
    "draw_frame",
    "draw_share",
    "draw_result",
    "draw_log",
    "draw_page",
    "draw_countersign",
    "assignment",
    "op",
    "dead_letter",
    "answer",
    "visit_event",
    "rollcall",
    "rollcall_mark",
    "claim",
    "number_sequence",
    "case_file",
)
SHARED = ("region", "occupation", "installation")
IN_SCOPE = "region = any ((select string_to_array(nullif(current_setting('app.regions', true), ''), ',')::int[])::int[])"
INSTITUTION = "(select nullif(current_setting('app.institution', true), '')::uuid)"


def rights() -> str:
    """Policies and grants: everything revoked first, then what each role needs."""
    lines = ["revoke all on all tables in schema public, aud from public;"]
    lines.append(
        "grant usage on schema public, aud to mingcha_app, mingcha_worker, mingcha_public, mingcha_seq;"
    )
    for table in (*DISCLOSED, *REGIONAL, "aud.entry"):
        own = DISCLOSED.get(table)
        test = IN_SCOPE if own is None else f"{IN_SCOPE} or ({own.format(i=INSTITUTION)})"
        lines += [
            f"alter table {table} enable row level security;",
            f"alter table {table} force row level security;",
            f"create policy p_owner on {table} to mingcha_owner using (true) with check (true);",
        ]
        if table == "aud.entry":
            continue
        lines += [
            f"create policy p_scope on {table} to mingcha_app, mingcha_worker using ({test}) with check ({test});",
            f"grant select, insert, update on {table} to mingcha_app, mingcha_worker;",
        ]
    lines += [
        f"grant select on {', '.join(SHARED)} to mingcha_app, mingcha_worker, mingcha_public;",
        "grant select, insert on installation to mingcha_app, mingcha_worker;",
        # An institution's act is an entry of its office: it may write it, and see it while writing.
        f"create policy p_read on aud.entry for select to mingcha_app, mingcha_worker"
        f" using ({IN_SCOPE} or xid = pg_current_xact_id());",
        "create policy p_write on aud.entry for insert to mingcha_app, mingcha_worker with check (true);",
        "grant select, insert on aud.entry to mingcha_app, mingcha_worker;",
        "grant select on aud.node, aud.checkpoint to mingcha_app, mingcha_worker, mingcha_public, mingcha_seq;",
        "create policy p_seq on aud.entry to mingcha_seq using (true) with check (true);",
        "grant select, update (tree_index) on aud.entry to mingcha_seq;",
        "grant insert on aud.node to mingcha_seq;",
        "grant insert, update (anchored_at, tsr) on aud.checkpoint to mingcha_seq;",
        "grant select, insert, update on task, occurrence to mingcha_app, mingcha_worker;",
        "grant select, insert, update, delete on session_kv, rate_kv to mingcha_app;",
        # A draft may lose a finding again; once approved its lines stay.
        "grant delete on notice_finding to mingcha_app, mingcha_worker;",
        "create policy p_draft on notice_finding as restrictive for delete to mingcha_app, mingcha_worker"
        " using (exists (select from notice n where n.id = notice and n.state = 'draft'));",
        "create policy p_public on publication for select to mingcha_public"
        " using (state in ('published', 'corrected', 'expired'));",
        "grant select on publication to mingcha_public;",
        "create policy p_public on draw_page for select to mingcha_public using (true);",
        "create policy p_public on draw_log for select to mingcha_public using (true);",
        "grant select on draw_page, draw_log to mingcha_public;",
        "revoke all on all functions in schema public, aud from public;",
        "grant execute on function regions_below(int), auth_login(text), auth_person(uuid, date),"
        " auth_token(bytea, timestamptz), auth_refresh(bytea), auth_link(bytea, timestamptz),"
        " visit_missing(uuid) to mingcha_app, mingcha_worker;",
    ]
    return "\n".join(lines)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="mingcha", description=DESCRIPTION)

    async def run() -> None:
        connection = cast("Engine", engine_finder()).connection
        await connection.execute("set local lock_timeout = '5s'")
        for part in (PEOPLE, DIRECTORIES, DRAWS, VISITS, CASEWORK, MACHINERY, FUNCTIONS, rights()):
            await connection.execute(part)

    manager.add_raw(run)
    return manager

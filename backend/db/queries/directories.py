"""Bulk writes of the directories: one array a column, arrays within a row joined by U+001F."""

UPSERT_INSTITUTIONS = """
insert into institution (id, region, credit_code, name, kinds, home_region, is_base, risk_class,
  frequency_cap, status, legal_person, phone, address, lat_e7, lon_e7, crs, fictional, rev,
  created_at, updated_at)
select t.id, t.region, t.credit_code, t.name, string_to_array(t.kinds, chr(31)), t.home_region,
  t.is_base, t.risk_class, t.frequency_cap, t.status, t.legal_person, t.phone, t.address, t.lat_e7,
  t.lon_e7, t.crs, t.fictional, t.rev, t.created_at, t.updated_at
from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bool[],
  $8::text[], $9::int[], $10::text[], $11::text[], $12::text[], $13::text[], $14::int[],
  $15::int[], $16::text[], $17::bool[], $18::int[], $19::timestamptz[], $20::timestamptz[])
  as t(id, region, credit_code, name, kinds, home_region, is_base, risk_class, frequency_cap,
    status, legal_person, phone, address, lat_e7, lon_e7, crs, fictional, rev, created_at,
    updated_at)
on conflict (id) do update set name = excluded.name, kinds = excluded.kinds,
  home_region = excluded.home_region, is_base = excluded.is_base, risk_class = excluded.risk_class,
  frequency_cap = excluded.frequency_cap, status = excluded.status,
  legal_person = excluded.legal_person, phone = excluded.phone, address = excluded.address,
  lat_e7 = excluded.lat_e7, lon_e7 = excluded.lon_e7, crs = excluded.crs,
  fictional = excluded.fictional, rev = excluded.rev, updated_at = excluded.updated_at
"""
UPSERT_CATALOGUE = """
insert into catalogue_entry (id, region, institution, kind, occupation, levels, listed_on,
  valid_until, source_notice, delisted_on, created_at)
select t.id, t.region, t.institution, t.kind, t.occupation, string_to_array(t.levels, chr(31)),
  t.listed_on, t.valid_until, t.source_notice, t.delisted_on, t.created_at
from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::date[],
  $8::date[], $9::text[], $10::date[], $11::timestamptz[])
  as t(id, region, institution, kind, occupation, levels, listed_on, valid_until, source_notice,
    delisted_on, created_at)
on conflict (id) do update set levels = excluded.levels, valid_until = excluded.valid_until,
  source_notice = excluded.source_notice, delisted_on = excluded.delisted_on
"""
UPSERT_INSPECTORS = """
insert into inspector (id, region, account, staff_code, name, department, unit, licence_no,
  licence_until, lead, skills, areas, cap, available, rev, created_at, updated_at)
select t.id, t.region, t.account, t.staff_code, t.name, t.department, t.unit, t.licence_no,
  t.licence_until, t.lead, string_to_array(t.skills, chr(31)),
  string_to_array(t.areas, chr(31))::int[], t.cap, t.available, t.rev, t.created_at, t.updated_at
from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
  $8::text[], $9::date[], $10::bool[], $11::text[], $12::text[], $13::int[], $14::bool[],
  $15::int[], $16::timestamptz[], $17::timestamptz[])
  as t(id, region, account, staff_code, name, department, unit, licence_no, licence_until, lead,
    skills, areas, cap, available, rev, created_at, updated_at)
on conflict (id) do update set name = excluded.name, department = excluded.department,
  unit = excluded.unit, licence_no = excluded.licence_no, licence_until = excluded.licence_until,
  lead = excluded.lead, skills = excluded.skills, areas = excluded.areas, cap = excluded.cap,
  available = excluded.available, rev = excluded.rev, updated_at = excluded.updated_at
"""
UPSERT_RELATIONS = """
insert into inspector_relation (id, region, inspector, institution, ground, declared_on, until,
  created_at)
select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::text[], $6::date[],
  $7::date[], $8::timestamptz[])
on conflict (id) do update set until = excluded.until
"""
UPSERT_CLASSES = """
insert into training_class (id, region, institution, code, title, occupation, level, mode,
  venue_region, venue, teacher, starts_on, ends_on, status, created_at)
select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::text[], $9::int[], $10::text[], $11::text[], $12::date[], $13::date[],
  $14::text[], $15::timestamptz[])
on conflict (id) do update set title = excluded.title, occupation = excluded.occupation,
  level = excluded.level, mode = excluded.mode, venue_region = excluded.venue_region,
  venue = excluded.venue, teacher = excluded.teacher, starts_on = excluded.starts_on,
  ends_on = excluded.ends_on, status = excluded.status
"""
UPSERT_SESSIONS = """
insert into class_session (id, region, institution, training_class, code, on_date, starts_at,
  ends_at, mode, minutes, status)
select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::text[], $6::date[],
  $7::timestamptz[], $8::timestamptz[], $9::text[], $10::int[], $11::text[])
on conflict (id) do update set on_date = excluded.on_date, starts_at = excluded.starts_at,
  ends_at = excluded.ends_at, mode = excluded.mode, minutes = excluded.minutes,
  status = excluded.status
"""
UPSERT_TRAINEES = """
insert into trainee (id, region, institution, training_class, roster_no, name, id_tail)
select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::int[], $6::text[],
  $7::text[])
on conflict (id) do update set name = excluded.name, id_tail = excluded.id_tail
"""
UPSERT_ITEMS = """
insert into inspection_item (id, region, code, title, law_basis, competent_authority, object_kind,
  way, ratio, frequency_cap)
select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::text[], $9::text[], $10::int[])
on conflict (id) do update set title = excluded.title, law_basis = excluded.law_basis,
  competent_authority = excluded.competent_authority, object_kind = excluded.object_kind,
  way = excluded.way, ratio = excluded.ratio, frequency_cap = excluded.frequency_cap
"""
INSERT_VERSIONS = """
insert into directory_version (id, region, institution, kind, subject, rev, valid_from, payload,
  recorded_by, import_run)
select t.id, t.region, t.institution, $1, t.subject,
  1 + coalesce((select max(v.rev) from directory_version v
    where v.kind = $1 and v.subject = t.subject), 0),
  $7, t.payload, $8, $9
from unnest($2::uuid[], $3::int[], $4::uuid[], $5::uuid[], $6::jsonb[])
  as t(id, region, institution, subject, payload)
"""
EXPORTS = {
    "institutions": """
select credit_code, name, kinds, region, home_region, is_base, risk_class, frequency_cap, status,
  legal_person, phone, address, lat_e7 as latitude, lon_e7 as longitude, crs, fictional
from institution where $1::int is null or region = any((select regions_below($1))::int[])
order by region, credit_code collate "C" limit $2
""",
    "catalogue": """
select i.credit_code, i.region, c.kind, c.occupation, c.levels, c.listed_on, c.valid_until,
  c.source_notice, c.delisted_on
from catalogue_entry c join institution i on i.id = c.institution
where $1::int is null or c.region = any((select regions_below($1))::int[])
order by i.region, i.credit_code collate "C", c.kind, c.listed_on, c.occupation limit $2
""",
    "inspectors": """
select staff_code, name, region, department, unit, licence_no, licence_until, lead, skills, areas,
  cap, available
from inspector where $1::int is null or region = any((select regions_below($1))::int[])
order by region, staff_code collate "C" limit $2
""",
    "relations": """
select p.licence_no, i.credit_code, i.region, r.ground, r.declared_on, r.until
from inspector_relation r join inspector p on p.id = r.inspector
  join institution i on i.id = r.institution
where $1::int is null or r.region = any((select regions_below($1))::int[])
order by p.licence_no collate "C", i.credit_code collate "C", r.declared_on, r.ground limit $2
""",
    "classes": """
select i.credit_code, i.region, c.code, c.title, c.occupation, c.level, c.mode, c.venue_region,
  c.venue, c.teacher, c.starts_on, c.ends_on, c.status
from training_class c join institution i on i.id = c.institution
where $1::int is null or c.region = any((select regions_below($1))::int[])
order by i.region, i.credit_code collate "C", c.code collate "C" limit $2
""",
    "sessions": """
select i.credit_code, i.region, c.code as class_code, s.code, s.on_date,
  (s.starts_at at time zone 'Asia/Shanghai')::time as starts,
  (s.ends_at at time zone 'Asia/Shanghai')::time as ends, s.mode, s.status
from class_session s join training_class c on c.id = s.training_class
  join institution i on i.id = s.institution
where $1::int is null or s.region = any((select regions_below($1))::int[])
order by i.region, i.credit_code collate "C", c.code collate "C", s.starts_at, s.code limit $2
""",
    "rosters": """
select i.credit_code, i.region, c.code as class_code, t.roster_no, t.name, t.id_tail
from trainee t join training_class c on c.id = t.training_class
  join institution i on i.id = t.institution
where $1::int is null or t.region = any((select regions_below($1))::int[])
order by i.region, i.credit_code collate "C", c.code collate "C", t.roster_no limit $2
""",
    "items": """
select code, title, region, law_basis, competent_authority, object_kind, way, ratio, frequency_cap
from inspection_item where $1::int is null or region = any((select regions_below($1))::int[])
order by region, code collate "C" limit $2
""",
}

"""Questions to the database about one visit, as the rules of signals want to know it."""

VISIT = """
select v.id, v.region, v.institution, v.training_class, v.notice, v.jurisdiction, i.lat_e7,
  i.lon_e7, i.crs
from (select id, region, institution, training_class, null::uuid as notice, jurisdiction
  from visit where id = $1
  union all select n.id, n.region, n.institution, null, n.id, o.jurisdiction
  from notice n left join visit o on o.id = n.visit where n.id = $1) v
join institution i on i.id = v.institution
"""
PIECES = """
select e.id, e.dev, e.inst_epoch, e.seq, e.item, e.mime, e.sha256, e.state, e.flags, e.channel,
  e.captured_at, coalesce(e.captured_at, e.declared_at) as taken_at, e.declared_at, e.manifest,
  e.facts -> 'exif' as exif, l.evidence is not null as hashed, l.p, l.w, l.dh, l.dv, l.fine,
  l.detail, l.lat_e7, l.lon_e7
from evidence e left join likeness l on l.evidence = e.id
where e.visit = $1 or e.notice = $1 order by e.id
"""
# Papers are handed in again for good reasons; pictures and recordings are not.
SAME = """
select e.id, o.id as other, coalesce(o.visit, o.notice) as occasion, o.region,
  o.visit is not null as visited, (coalesce(o.captured_at, o.declared_at), o.id)
    < (coalesce(e.captured_at, e.declared_at), e.id) as older
from evidence e join evidence o on o.sha256 = e.sha256 and o.id <> e.id
where (e.visit = $1 or e.notice = $1) and coalesce(o.visit, o.notice) <> $1
  and e.state in ('verified', 'sealed') and o.state in ('verified', 'sealed')
  and split_part(e.mime, '/', 1) in ('image', 'video', 'audio')
order by e.id, coalesce(o.captured_at, o.declared_at), o.id limit 2000
"""
CHECKINS = """
select op_id, dev, inspector, visit, body, recorded_at from visit_event
where visit = $1 and kind = 'visit.checkin' and body -> 'loc' ->> 'st' = 'ok' order by op_id
"""
PEOPLE = """
select d.id as dev, i.id as inspector, d.heartbeat, d.last_seen_at from device d
join inspector i on i.account = d.account where d.id = any ($1) order by d.id
"""
# Visits of the same people about the same day; by assignment, which has an index.
AROUND = """
select distinct v.id, v.region from assignment a join visit v on v.id = a.visit
where a.inspector = any ($2) and v.id <> $1
  and v.on_date between (select on_date from visit where id = $1) - 1
    and (select on_date from visit where id = $1) + 1
order by v.id limit 400
"""
FIXES_ELSEWHERE = """
select e.id as source, true as evidence, e.visit, e.dev, e.captured_at as at, e.location,
  e.captured_at as recorded_at
from evidence e where e.visit = any ($1) and e.location ->> 'st' = 'ok'
  and not e.flags && array['time_unproved', 'unknown_key'] and e.captured_at is not null
union all
select o.op_id, false, o.visit, o.dev, to_timestamp((o.body ->> 'at')::bigint / 1000.0),
  o.body -> 'loc', o.recorded_at
from visit_event o where o.visit = any ($1) and o.kind = 'visit.checkin'
  and o.body -> 'loc' ->> 'st' = 'ok'
"""
FIXES_OF_DEVICES = """
select e.id as source, true as evidence, e.visit, e.dev, e.captured_at as at, e.location,
  e.captured_at as recorded_at
from evidence e where e.dev = any ($2) and e.visit <> $1 and e.location ->> 'st' = 'ok'
  and e.declared_at > $5::timestamptz - interval '90 days' and not 'time_unproved' = any (e.flags)
  and exists (select from unnest($3::bigint[], $4::bigint[]) as m (lat, lon)
    where (e.location ->> 'lat')::bigint = m.lat and (e.location ->> 'lon')::bigint = m.lon)
order by e.id limit 200
"""
CAMERAS = """
select dev, facts -> 'exif' ->> 'camera' as camera, count(*)::int as pictures from evidence
where dev = any ($1) and declared_at > $2::timestamptz - interval '180 days'
  and facts -> 'exif' ->> 'camera' is not null group by dev, camera
"""
# The visit's captures of one storage life, what lies between, the one before and the one after.
CHAIN = """
with own as (select min(seq) as low, max(seq) as high from evidence
  where dev = $2 and inst_epoch = $3 and visit = $1)
select e.id, e.visit, e.seq, e.manifest_sha256, e.declared_at,
  convert_from(e.manifest, 'UTF8')::jsonb ->> 'prev' as prev, v.region
from evidence e join visit v on v.id = e.visit, own
where e.dev = $2 and e.inst_epoch = $3 and not 'unknown_key' = any (e.flags)
  and e.seq >= coalesce((select max(seq) from evidence b where b.dev = $2 and b.inst_epoch = $3
    and b.seq < own.low), 0)
  and e.seq <= coalesce((select min(seq) from evidence b where b.dev = $2 and b.inst_epoch = $3
    and b.seq > own.high), own.high)
order by e.seq, e.id
"""
EPOCHS = """
select s.dev, s.inst_epoch, s.seen_at,
  (select count(*) from op o where o.visit = $1 and o.dev = s.dev
    and o.inst_epoch = s.inst_epoch)::int as here,
  (select o.visit from op o where o.dev = s.dev and o.inst_epoch = s.inst_epoch
    order by o.seq limit 1) is distinct from $1 as begun_elsewhere
from device_storage s where s.dev = any ($2) order by s.dev, s.wave
"""
ROLLCALLS = """
select id, roster_count, called_count, present_count, stranger_count, head_count from rollcall
where visit = $1 order by taken_at desc, id desc
"""
SIGNED = """
select part.value ->> 'signed' as signed, part.value ->> 'present' as present
from answer a, jsonb_each(a.value) as part
where a.visit = $1 and jsonb_typeof(part.value) = 'object' and part.value ? 'signed'
order by a.recorded_at desc, a.op_id limit 1
"""
RECOUNTS = """
select id, evidence, heads from recount where visit = $1 and heads is not null
order by heads desc, id
"""

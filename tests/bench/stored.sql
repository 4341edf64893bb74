-- Inspections $1 to $2, one row of each in seven tables; a statement ends at a line of its own.
create function pg_temp.old_id(kind text, n bigint) returns uuid language sql immutable as $$
  select (lpad(to_hex(1700000000000 + n * 1000), 12, '0') || '7' || substr(md5(kind || n), 1, 3)
    || '8' || substr(md5(kind || n), 4, 15))::uuid
$$
;
create temporary table old as
select n, pg_temp.old_id('v', n) as visit, pg_temp.old_id('o', n) as op,
  r.one[1 + n % cardinality(r.one)] as region, i.one[1 + n % cardinality(i.one)] as institution,
  s.one[1 + n % cardinality(s.one)] as inspector, d.id as dev, d.kid as kid,
  timestamptz '2023-11-14 00:00+00' + make_interval(secs => n) as at
from generate_series($1::bigint, $2::bigint) as n,
  (select regions_below(370000) as one) r,
  (select array_agg(id order by id) as one from institution) i,
  (select array_agg(id order by id) as one from inspector) s,
  (select id, kid from device order by id limit 1) d
;
insert into visit (id, region, institution, code, kind, unannounced, selection, chance, sheet,
  sheet_digest, jurisdiction, on_date, sealed_until, state, epoch, challenge, created_at)
select visit, region, institution, 'OLD-' || n, 'training_site', true, 'random', '3/40', 'TI',
  repeat('ab', 32), 'CN-37', at::date, at, 'concluded', 1, '0011223344556677', at from old
;
insert into assignment (id, region, visit, inspector, place, lead, epoch, state, created_at)
select pg_temp.old_id('a', n), region, visit, inspector, 1, true, 1, 'active', at from old
;
insert into op (op_id, region, dev, inst_epoch, seq, kind, visit, digest, envelope, status, result,
  received_at)
select op, region, dev, 'dddddddddddddddd', n, 'visit.finalize', visit, repeat('cd', 32),
  'an envelope', 'applied', '{"result":"applied"}', at from old
;
insert into answer (visit, dev, item, region, institution, inspector, seq, value, verdict, flags,
  canon, op_id, recorded_at)
select visit, dev, 'TI-01', region, institution, inspector, n, '{"result": "yes"}', 'pass', '{}',
  '{"item":"TI-01","value":{"result":"yes"}}', op, at from old
;
insert into evidence (id, region, institution, visit, channel, item, dev, kid, inst_epoch, seq,
  manifest, manifest_sha256, sha256, size, mime, source, transport, state, flags, late, disclosed,
  captured_at, declared_at)
select pg_temp.old_id('e', n), region, institution, visit, 'phone', 'TI-01', dev, kid,
  'dddddddddddddddd', n, '{"prev":"0"}', repeat('ef', 32), md5('s' || n) || md5('t' || n), 300000,
  'image/jpeg', 'stream', '{}', 'sealed', '{}', false, false, at, at from old
;
insert into claim (visit, dev, region, op_id, items, answers_sha256, seq, claimed_at)
select visit, dev, region, op, '[]', repeat('ab', 32), n, at from old
;
insert into aud.entry (region, leaf, body, tree_index)
select region, decode(md5('l' || n) || md5('k' || n), 'hex'), jsonb_build_object('v', 1, 'verb',
  'visit.concluded', 'object', jsonb_build_object('type', 'visit', 'id', visit)), n from old
;
drop table old

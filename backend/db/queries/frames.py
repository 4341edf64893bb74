"""Who can be drawn and who can be sent: rows of frames with the dated facts of exclusions."""

# $1 region of the plan, $2 year, $3 first possible day, $4 last day, $5 kinds,
# $6 occupations, $7 plan
_FACTS = """
  exists (select from manual_exclusion m where m.plan = $7 and m.institution = i.id
    and m.state = 'confirmed') as manual,
  exists (select from case_file f where f.institution = i.id and f.state <> 'closed') as case_open,
  (select count(*) from visit v where v.institution = i.id and v.selection = 'random'
     and extract(year from v.on_date) = $2 and v.state not in ('closed', 'unreachable')) as visits,
  (select max(v.on_date) from visit v where v.institution = i.id and v.selection = 'random'
     and v.state not in ('closed', 'unreachable')) as last_visit,
  exists (select from visit v where v.institution = i.id and v.selection = 'random'
    and v.state not in ('closed', 'unreachable') and v.on_date >= coalesce((select max(e.listed_on)
      from catalogue_entry e where e.institution = i.id and e.listed_on <= $4), v.on_date)) as seen
"""
_LISTED = """
  select from catalogue_entry e where e.institution = i.id and e.kind = {kind}
    and e.listed_on <= $4 and e.valid_until >= $3 and (e.delisted_on is null or e.delisted_on > $3)
"""

INSTITUTIONS = f"""
select i.id as institution, k.kind, i.region, i.credit_code, i.risk_class, i.frequency_cap,
  i.status, false as cancelled, false as moved,
  exists ({_LISTED.format(kind="k.kind")}) as listed,
  $6::text[] = '{{}}' or exists ({_LISTED.format(kind="k.kind")}
    and e.occupation = any ($6)) as in_scope, {_FACTS}
from institution i cross join lateral unnest(i.kinds) k(kind)
where i.region = any (regions_below($1)) and k.kind = any ($5)
"""  # noqa: S608 - constants of this module

SESSIONS = f"""
select i.id as institution, i.region, i.credit_code, i.risk_class, i.frequency_cap, i.status,
  c.id as training_class, c.code as class_code, c.venue_region,
  s.id as class_session, s.code as session_code, s.on_date,
  s.status = 'cancelled' or c.status = 'cancelled' as cancelled, s.status = 'moved' as moved,
  exists ({_LISTED.format(kind="any ($5)")}) as listed,
  $6::text[] = '{{}}' or c.occupation = any ($6) as in_scope, {_FACTS}
from class_session s
  join training_class c on c.id = s.training_class
  join institution i on i.id = s.institution
where i.region = any (regions_below($1)) and s.on_date between $3 and $4
"""  # noqa: S608 - constants of this module

BELOW = "select root, regions_below(root) as codes from unnest($1::int[]) root"

# $1 region of the plan, $2 year
INSPECTORS = """
select p.id, p.region, p.staff_code, p.unit, p.licence_no, p.licence_until, p.lead,
  p.skills, p.cap, p.available,
  array(select distinct unnest(regions_below(a)) from unnest(p.areas) a) as reach,
  (select count(*) from assignment a join visit v on v.id = a.visit
     where a.inspector = p.id and a.state = 'active' and extract(year from v.on_date) = $2) as load
from inspector p where p.region = any (regions_below($1)) order by p.id
"""

# What inspectors declared, and what follows from their whole office having stepped aside.
RELATIONS = """
select inspector, institution, until from inspector_relation
where institution = any ($1) and inspector = any ($2)
union select p.id, r.institution, null from office_recusal r
  join account a on a.office = r.office join inspector p on p.account = a.id
  where r.ended_at is null and r.institution = any ($1) and p.id = any ($2)
"""

UNITS = "select id, credit_code, name from institution where id = any ($1)"

# Who was at an institution last: the same people should not come twice in a row.
PREVIOUS = """
select distinct a.inspector, v.institution from assignment a
  join (select distinct on (institution) id, institution from visit
    where institution = any ($1) and state not in ('closed', 'unreachable')
    order by institution, on_date desc, id desc) v on v.id = a.visit
where a.state = 'active' and a.inspector = any ($2)
"""

/** Choosing institutions: targets per stratum, then Pareto order within (draw.md section 5). */

import { compare, utf8 } from "./bytes.js";
import { isExcluded, readFrame } from "./frame.js";
import { share } from "./ratio.js";
import { T, Tickets } from "./tickets.js";

const PRECISION = 128n;

function order(left, right) {
  return left < right ? -1 : Number(left > right);
}

/** The order of drawn rows: key, ticket, id. */
function byKey(left, right) {
  return (
    order(left.key, right.key) ||
    order(left.ticket, right.ticket) ||
    compare(left.row.id, right.row.id)
  );
}

function ids(drawn) {
  return drawn.map(({ row }) => row.id);
}

function counted(stratum, plan) {
  const eligible = stratum.rows.filter((row) => !isExcluded(row));
  const must = eligible.filter((row) => row.must);
  const base = plan.base === "eligible" ? eligible : stratum.rows;
  return { ...stratum, eligible, must, base: base.length };
}

/** [target, n] of a stratum in mode `ratio`: max wins over min, what must be drawn over max. */
function byRatio(stratum) {
  let target = Math.max(share(stratum.ratio, stratum.base), stratum.min ?? 0);
  target = Math.min(target, stratum.max ?? target);
  target = Math.max(target, stratum.must.length);
  return [target, Math.min(target, stratum.eligible.length)];
}

function ahead(left, right) {
  const first = left.size * BigInt(2 * right.n + 1);
  const second = right.size * BigInt(2 * left.n + 1);
  return first === second ? left.ticket < right.ticket : first > second;
}

/** n of every stratum in mode `total`: Sainte-Laguë over sizes, within floors and ceilings. */
function byTotal(strata, total, tickets) {
  const open = strata.map((stratum) => {
    const { eligible, must } = stratum;
    const limit = Math.min(eligible.length, stratum.max ?? eligible.length);
    const cap = Math.max(limit, must.length);
    return {
      cap,
      n: Math.max(Math.min(stratum.min ?? 0, cap), must.length),
      size: BigInt(stratum.size ?? stratum.base),
      ticket: tickets.ticket("ssj1.stratum", utf8(stratum.id)),
    };
  });
  let left = total - open.reduce((sum, { n }) => sum + n, 0);
  for (; left > 0; left -= 1) {
    const free = open.filter(({ n, cap }) => n < cap);
    if (free.length === 0) break;
    free.reduce((best, one) => (ahead(one, best) ? one : best)).n += 1;
  }
  return open.map(({ n }) => [n, n]);
}

/** Moves what is drawn for sure out of the pool, again and again until nothing is. */
function takeAll(pool, places) {
  const certain = [];
  let [rest, left, weight] = [pool, places, 0n];
  for (;;) {
    weight = rest.reduce((sum, { w }) => sum + w, 0n);
    const [n, whole] = [BigInt(left), weight];
    const sure = left > 0 ? rest.filter(({ w }) => n * w >= whole) : [];
    if (sure.length === 0) return { certain, rest, left, weight };
    certain.push(...sure);
    rest = rest.filter(({ w }) => n * w < whole);
    left -= sure.length;
  }
}

function keyOf({ ticket, w }, left, weight) {
  if (left === 0) return (ticket << PRECISION) / w;
  return ((ticket * (weight - BigInt(left) * w)) << PRECISION) / ((T - ticket) * w);
}

/** One stratum drawn: lists of ids in their order. */
function within(stratum, [target, n], reserve, tickets) {
  const tossed = stratum.eligible.map((row) => {
    const ticket = tickets.ticket("ssj1.ticket", utf8(row.id));
    return { row, ticket, w: BigInt(row.w ?? 1), key: 0n };
  });
  const must = tossed.filter(({ row }) => row.must).sort(byKey);
  const pool = tossed.filter(({ row }) => !row.must);
  const { certain, rest, left, weight } = takeAll(pool, n - must.length);
  certain.sort(byKey);
  for (const one of rest) one.key = keyOf(one, left, weight);
  rest.sort(byKey);
  return {
    stratum: stratum.id,
    frame: stratum.rows.length,
    eligible: stratum.eligible.length,
    target,
    n,
    shortfall: target - n,
    must: ids(must),
    certain: ids(certain),
    random: ids(rest.slice(0, left)),
    reserve: ids(rest.slice(left, left + reserve)),
  };
}

/**
 * The selection of a plan from rows, a list per stratum in byte order.
 * Raises the errors of selection (draw.md section 12).
 */
export function select(alg, seed, plan, rows) {
  const strata = readFrame(plan, rows).map((stratum) => counted(stratum, plan));
  const tickets = new Tickets(alg, seed);
  const sizes =
    plan.mode === "ratio" ? strata.map(byRatio) : byTotal(strata, plan.total, tickets);
  return strata.map((stratum, at) => within(stratum, sizes[at], plan.reserve ?? 0, tickets));
}

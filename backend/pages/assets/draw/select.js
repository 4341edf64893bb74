/** Choosing institutions within strata: certain ones, then Pareto order (draw.md section 5). */

import { targets } from "./allot.js";
import { compare, utf8 } from "./bytes.js";
import { readFrame } from "./frame.js";
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

/** Moves what is drawn for sure out of the pool, again and again until nothing is. */
function takeAll(pool, places) {
  const certain = [];
  let [rest, left] = [pool, places];
  for (;;) {
    const weight = rest.reduce((sum, { w }) => sum + w, 0n);
    const n = BigInt(left);
    const sure = left > 0 ? rest.filter(({ w }) => n * w >= weight) : [];
    if (sure.length === 0) return { certain, rest, left, weight };
    certain.push(...sure);
    rest = rest.filter(({ w }) => n * w < weight);
    left -= sure.length;
  }
}

/** The Pareto key of a row of weight w, where `left` places are drawn from the pool's weight. */
export function keyOf(ticket, w, left, weight) {
  if (left === 0n) return (ticket << PRECISION) / w;
  return ((ticket * (weight - left * w)) << PRECISION) / ((T - ticket) * w);
}

function tossed(rows, tickets) {
  return rows.map((row) => {
    const ticket = tickets.ticket("ssj1.ticket", utf8(row.id));
    return { row, ticket, w: BigInt(row.w ?? 1), key: 0n };
  });
}

/** One stratum drawn: its lists of ids in their order, and the sealed profile's figures of it. */
function within({ stratum, rows, must, pool }, target, reserve, tickets) {
  const eligible = must.length + pool.length;
  const n = Math.min(target, eligible);
  const { certain, rest, left, weight } = takeAll(tossed(pool, tickets), n - must.length);
  for (const one of rest) one.key = keyOf(one.ticket, one.w, BigInt(left), weight);
  rest.sort(byKey);
  const figures = {
    stratum: stratum.id,
    frame: rows.length,
    eligible,
    target,
    n,
    shortfall: target - n,
  };
  const lists = {
    must: ids(tossed(must, tickets).sort(byKey)),
    certain: ids([...certain].sort(byKey)),
    random: ids(rest.slice(0, left)),
    reserve: ids(rest.slice(left, left + reserve)),
  };
  const counts = Object.entries(lists).map(([name, list]) => [name, list.length]);
  const weights = certain.map(({ w }) => Number(w));
  const bounds = {
    weight: String(weight),
    threshold: left === 0 ? null : String(rest[left - 1].key),
    certain_from: certain.length === 0 ? null : weights.reduce((a, b) => Math.min(a, b)),
  };
  const total = { ...figures, ...Object.fromEntries(counts), ...bounds };
  return { part: { ...figures, ...lists }, total };
}

/**
 * The selection of a plan from rows, a list per stratum in byte order, and the totals of the
 * sealed profile (draw.md section 2.6).  Raises the errors of selection (section 12).
 */
export function selectWithTotals(alg, seed, plan, rows) {
  const strata = readFrame(plan, rows);
  const tickets = new Tickets(alg, seed);
  const counts = strata.map(({ rows: all, must, pool }) => ({
    frame: all.length,
    eligible: must.length + pool.length,
    must: must.length,
  }));
  const wanted = targets(plan, strata.map(({ stratum }) => stratum), counts, tickets);
  const drawn = strata.map((one, at) => within(one, wanted[at], plan.reserve ?? 0, tickets));
  return { selection: drawn.map(({ part }) => part), totals: drawn.map(({ total }) => total) };
}

/** The selection alone. */
export function select(alg, seed, plan, rows) {
  return selectWithTotals(alg, seed, plan, rows).selection;
}

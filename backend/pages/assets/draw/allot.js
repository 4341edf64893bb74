/** How many a stratum gets, by ratio or out of a total (draw.md section 5). */

import { compare, utf8 } from "./bytes.js";
import { refuse } from "./errors.js";
import { checkDistinct } from "./ids.js";
import { readRatio, share } from "./ratio.js";

const BASES = ["frame", "eligible"];

/** The strata of a plan in byte order. Raises E_DUP_STRATUM, E_STRATUM. */
export function strataOf(plan) {
  if (!Array.isArray(plan.strata)) refuse("E_STRATUM");
  checkDistinct(plan.strata, "E_DUP_STRATUM");
  if (!plan.strata.every((stratum) => typeof stratum.id === "string")) refuse("E_STRATUM");
  return [...plan.strata].sort((left, right) => compare(left.id, right.id));
}

function checkCount(value) {
  const absent = value === undefined || value === null;
  if (!absent && !(Number.isInteger(value) && value >= 0)) refuse("E_MODE");
}

/** Ratios first, then mode, base and numbers. Raises E_RATIO, E_MODE. */
export function checkPlan(plan, strata) {
  if (plan.mode === "ratio") strata.forEach(({ ratio }) => readRatio(ratio));
  if (plan.mode !== "ratio" && plan.mode !== "total") refuse("E_MODE");
  if (!BASES.includes(plan.base ?? "frame")) refuse("E_MODE");
  if (plan.mode === "total" && !Number.isInteger(plan.total)) refuse("E_MODE");
  [plan.total, plan.reserve].forEach(checkCount);
  strata.forEach(({ min, max, size }) => [min, max, size].forEach(checkCount));
}

function baseOf(plan, { frame, eligible }) {
  return plan.base === "eligible" ? eligible : frame;
}

/** What must be drawn wins over max, max over min. */
function byRatio(plan, { ratio, min, max }, counts) {
  let target = Math.max(share(readRatio(ratio), baseOf(plan, counts)), min ?? 0);
  target = Math.min(target, max ?? target);
  return Math.max(target, counts.must);
}

function ahead(left, right) {
  const first = left.size * BigInt(2 * right.n + 1);
  const second = right.size * BigInt(2 * left.n + 1);
  return first === second ? left.ticket < right.ticket : first > second;
}

/** One at a time to the stratum with the largest size / (2a + 1), within floors and ceilings. */
function byTotal(plan, strata, counts, tickets) {
  const open = strata.map(({ id, min, max, size }, at) => {
    const { eligible, must } = counts[at];
    const cap = Math.max(Math.min(eligible, max ?? eligible), must);
    return {
      cap,
      n: Math.max(Math.min(min ?? 0, cap), must),
      size: BigInt(size ?? baseOf(plan, counts[at])),
      ticket: tickets.ticket("ssj1.stratum", utf8(id)),
    };
  });
  for (let left = plan.total - open.reduce((sum, { n }) => sum + n, 0); left > 0; left -= 1) {
    const free = open.filter(({ n, cap }) => n < cap);
    if (free.length === 0) break;
    free.reduce((best, one) => (ahead(one, best) ? one : best)).n += 1;
  }
  return open.map(({ n }) => n);
}

/** The targets of strata, given the counts {frame, eligible, must} of each. */
export function targets(plan, strata, counts, tickets) {
  if (plan.mode === "total") return byTotal(plan, strata, counts, tickets);
  return strata.map((stratum, at) => byRatio(plan, stratum, counts[at]));
}

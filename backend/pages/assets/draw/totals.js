/** The sealed profile: totals and thresholds instead of rows (draw.md section 2.6). */

import { checkPlan, strataOf, targets } from "./allot.js";
import { utf8 } from "./bytes.js";
import { finding } from "./findings.js";
import { digestOf } from "./seed.js";
import { keyOf } from "./select.js";
import { found, need, textOf, wholeOf } from "./shape.js";
import { Tickets } from "./tickets.js";

const FIELDS = [
  "certain",
  "certain_from",
  "eligible",
  "frame",
  "must",
  "n",
  "random",
  "reserve",
  "shortfall",
  "stratum",
  "target",
  "threshold",
  "weight",
];
const COUNTS = ["frame", "eligible", "target", "n", "shortfall", "must", "certain", "random"];

function addsUp(total) {
  if (Object.keys(total).sort().join() !== FIELDS.join()) return false;
  for (const name of COUNTS) wholeOf(total, name);
  const { frame, eligible, n, target, must, certain, random, shortfall } = total;
  return (
    frame >= eligible &&
    eligible >= n &&
    n >= 0 &&
    n === must + certain + random &&
    shortfall === target - n &&
    shortfall >= 0 &&
    (total.threshold === null) === (random === 0) &&
    (total.certain_from === null) === (certain === 0)
  );
}

/** Totals that do not add up, that the plan does not give, or that were not noted. */
export function* checkTotals({ alg, plan, totals }, first) {
  const seed = first.seed(alg, plan);
  for (const total of totals) {
    if (!addsUp(total)) yield finding("totals.sum", { stratum: need(total, "stratum") });
  }
  const strata = strataOf(plan);
  checkPlan(plan, strata);
  const rows = totals.reduce((sum, total) => sum + wholeOf(total, "frame"), 0);
  const named = totals.map((total) => textOf(total, "stratum"));
  const all = named.length === strata.length && strata.every(({ id }, at) => id === named[at]);
  if (!all || rows !== need(need(first.freeze, "objects"), "count")) {
    yield finding("totals.frame");
    return;
  }
  const right = targets(plan, strata, totals, new Tickets(alg, seed));
  for (const [at, { stratum, target }] of totals.entries()) {
    if (target !== right[at]) yield finding("totals.target", { stratum });
  }
  const noted = need(first.result, "totals");
  if (noted !== digestOf(alg, { seed, totals })) yield finding("totals.noted");
}

/** What became of a row of the frame: excluded, must, certain, drawn or not_drawn. */
export function fate(alg, seed, totals, row) {
  const total = found(totals.find(({ stratum }) => stratum === row.stratum), "stratum");
  if (row.excl) return "excluded";
  if (row.must) return "must";
  const w = row.w ?? 1;
  if (total.certain_from !== null && w >= total.certain_from) return "certain";
  if (total.threshold === null) return "not_drawn";
  const ticket = new Tickets(alg, seed).ticket("ssj1.ticket", utf8(row.id));
  const key = keyOf(ticket, BigInt(w), BigInt(total.random), BigInt(total.weight));
  return key <= BigInt(total.threshold) ? "drawn" : "not_drawn";
}

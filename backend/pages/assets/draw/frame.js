/** Rows of the object frame: checked in the order of draw.md section 12, parted by stratum. */

import { checkPlan, strataOf } from "./allot.js";
import { refuse } from "./errors.js";
import { checkId } from "./ids.js";

const HEAVIEST = 2 ** 32;

function checkRow(row, seen, strata) {
  checkId(row?.id);
  if (seen.has(row.id)) refuse("E_DUP_ID");
  seen.add(row.id);
  if (!strata.has(row.stratum)) refuse("E_STRATUM");
  const { w: weight = 1 } = row;
  if (!Number.isInteger(weight) || weight < 1 || weight > HEAVIEST) refuse("E_WEIGHT");
  if (row.must && row.excl) refuse("E_MUST_EXCL");
}

/**
 * The strata of a plan in byte order, each {stratum, rows, must, pool}; an exclusion that is
 * absent, null or empty is none.  Raises E_DUP_STRATUM, the errors of ids, E_DUP_ID, E_STRATUM,
 * E_WEIGHT, E_MUST_EXCL, E_RATIO, E_MODE.
 */
export function readFrame(plan, rows) {
  const ordered = strataOf(plan);
  const strata = new Map(ordered.map((stratum) => [stratum.id, []]));
  const seen = new Set();
  for (const row of rows) {
    checkRow(row, seen, strata);
    strata.get(row.stratum).push(row);
  }
  checkPlan(plan, ordered);
  return ordered.map((stratum) => {
    const all = strata.get(stratum.id);
    const eligible = all.filter((row) => !row.excl);
    return {
      stratum,
      rows: all,
      must: eligible.filter((row) => row.must),
      pool: eligible.filter((row) => !row.must),
    };
  });
}

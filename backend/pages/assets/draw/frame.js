/** What selection checks before anything is drawn, in the order of draw.md section 12. */

import { compare } from "./bytes.js";
import { refuse } from "./errors.js";
import { checkDistinct, checkId } from "./ids.js";
import { readRatio } from "./ratio.js";

const HEAVIEST = 2 ** 32;
const BASES = ["frame", "eligible"];

/** Whether an exclusion is written at all: absent, null and "" are none. */
export function isExcluded(row) {
  return row.excl !== undefined && row.excl !== null && row.excl !== "";
}

function checkRow(row, seen, strata) {
  checkId(row.id);
  if (seen.has(row.id)) refuse("E_DUP_ID");
  seen.add(row.id);
  if (!strata.has(row.stratum)) refuse("E_STRATUM");
  const { w: weight = 1 } = row;
  if (!Number.isInteger(weight) || weight < 1 || weight > HEAVIEST) refuse("E_WEIGHT");
  if (row.must && isExcluded(row)) refuse("E_MUST_EXCL");
}

function checkMode(plan) {
  if (plan.mode !== "ratio" && plan.mode !== "total") refuse("E_MODE");
  if (!BASES.includes(plan.base ?? "frame")) refuse("E_MODE");
  if (plan.mode === "total" && !Number.isInteger(plan.total)) refuse("E_MODE");
}

/**
 * The strata of a plan in byte order, each with its rows and its ratio as two numbers.
 * Raises E_DUP_STRATUM, the errors of ids, E_DUP_ID, E_STRATUM, E_WEIGHT, E_MUST_EXCL, E_RATIO,
 * E_MODE.
 */
export function readFrame(plan, rows) {
  checkDistinct(plan.strata, "E_DUP_STRATUM");
  const strata = new Map(plan.strata.map((stratum) => [stratum.id, []]));
  const seen = new Set();
  for (const row of rows) {
    checkRow(row, seen, strata);
    strata.get(row.stratum).push(row);
  }
  const ordered = [...plan.strata].sort((left, right) => compare(left.id, right.id));
  const ratios = plan.mode === "ratio" ? ordered.map(({ ratio }) => readRatio(ratio)) : [];
  checkMode(plan);
  return ordered.map((stratum, at) => ({
    ...stratum,
    rows: strata.get(stratum.id),
    ratio: ratios[at],
  }));
}

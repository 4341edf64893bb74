/** Ratios as strings, `p/q` or decimal, exact (draw.md section 5). */

import { refuse } from "./errors.js";

const FRACTION = /^([0-9]{1,9})\/([0-9]{1,9})$/;
const DECIMAL = /^([0-9]{1,3})(?:\.([0-9]{1,9}))?$/;

function parts(text) {
  const fraction = FRACTION.exec(text);
  if (fraction !== null) return [BigInt(fraction[1]), BigInt(fraction[2])];
  const [, whole, digits = ""] = DECIMAL.exec(text) ?? refuse("E_RATIO");
  return [BigInt(whole + digits), 10n ** BigInt(digits.length)];
}

/** Numerator and denominator of a ratio between 0 and 1. Raises E_RATIO. */
export function readRatio(text) {
  if (typeof text !== "string") refuse("E_RATIO");
  const [top, bottom] = parts(text);
  if (bottom === 0n || top > bottom) refuse("E_RATIO");
  return [top, bottom];
}

/** ⌈ratio · count⌉ as a number. */
export function share([top, bottom], count) {
  return Number((top * BigInt(count) + bottom - 1n) / bottom);
}

/** Reading the text somebody was given: a record, or the public page of a draw that holds it. */

import { refuse } from "./errors.js";
import { Inexact, parseStrictly } from "./json.js";
import { isObject } from "./shape.js";

function hasInexact(value) {
  if (value instanceof Inexact) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasInexact);
}

function read(text) {
  try {
    return parseStrictly(text);
  } catch (fault) {
    // Nested beyond the stack.
    if (fault instanceof RangeError) refuse("E_TYPE");
    throw fault;
  }
}

/** The record; null where the page's draw is not disclosed yet. Raises E_TYPE, E_KEY. */
export function load(text) {
  const whole = read(text);
  if (!isObject(whole) || hasInexact(whole)) refuse("E_TYPE");
  if (!("record" in whole) || "profile" in whole) return whole;
  if (whole.record !== null && !isObject(whole.record)) refuse("E_TYPE");
  return whole.record;
}

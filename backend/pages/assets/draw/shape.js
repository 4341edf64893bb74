/** Reading what a stranger wrote: a missing field or another kind of value ends the check. */

/** A record, an entry or a row of another shape than it must have. */
export class Unreadable extends Error {}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function demand(holds, why) {
  if (!holds) throw new Unreadable(why);
}

/** The field of an object that must have it. */
export function need(holder, key) {
  demand(isObject(holder) && key in holder, key);
  return holder[key];
}

/** The field, or another value where there is none. */
export function maybe(holder, key, otherwise = null) {
  demand(isObject(holder), key);
  return key in holder ? holder[key] : otherwise;
}

export function list(value, why = "list") {
  demand(Array.isArray(value), why);
  return value;
}

export function text(value, why = "text") {
  demand(typeof value === "string", why);
  return value;
}

export function whole(value, why = "number") {
  demand(Number.isInteger(value), why);
  return value;
}

export function textOf(holder, key) {
  return text(need(holder, key), key);
}

export function listOf(holder, key) {
  return list(need(holder, key), key);
}

export function wholeOf(holder, key) {
  return whole(need(holder, key), key);
}

export function objectOf(holder, key) {
  const value = need(holder, key);
  demand(isObject(value), key);
  return value;
}

/** What a search must have found. */
export function found(value, why) {
  demand(value !== undefined, why);
  return value;
}

/** Canonical JSON, the narrow form of draw.md section 2.1, with its refusals. */

import { utf8 } from "./bytes.js";
import { refuse } from "./errors.js";
import { PAIRS } from "./json.js";

const KEY = /^[a-z0-9_]+$/;
const QUIET = /^[\x20-\x7e]*$/;
// With the u flag a surrogate matches only where it stands alone.
const OFFENDING = /[\u0000-\u001f\u007f]|\p{Surrogate}/u;
const ESCAPED = /["\\]/g;

/** Raises E_CONTROL or E_SURROGATE (whichever stands first), then E_NFC. */
export function checkString(text) {
  if (QUIET.test(text)) return;
  const found = OFFENDING.exec(text);
  if (found !== null) refuse(found[0].charCodeAt(0) < 0x80 ? "E_CONTROL" : "E_SURROGATE");
  if (text.normalize("NFC") !== text) refuse("E_NFC");
}

function spellString(text) {
  checkString(text);
  return `"${text.replace(ESCAPED, "\\$&")}"`;
}

function spellNumber(value) {
  if (typeof value === "number" && !Number.isInteger(value)) refuse("E_TYPE");
  if (!Number.isSafeInteger(value)) refuse("E_NUMBER");
  return String(value);
}

// Checked in input order, written in the order of keys.
function spellObject(value) {
  const texts = new Map();
  for (const [key, field] of value[PAIRS] ?? Object.entries(value)) {
    if (!KEY.test(key) || texts.has(key)) refuse("E_KEY");
    texts.set(key, canonical(field));
  }
  const sorted = [...texts].sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${sorted.map(([key, text]) => `"${key}":${text}`).join(",")}}`;
}

function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The canonical text. Raises E_TYPE, E_NUMBER, E_KEY, E_CONTROL, E_SURROGATE, E_NFC. */
export function canonical(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return spellString(value);
  if (typeof value === "number" || typeof value === "bigint") return spellNumber(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && isPlain(value)) return spellObject(value);
  return refuse("E_TYPE");
}

export function canonicalBytes(value) {
  return utf8(canonical(value));
}

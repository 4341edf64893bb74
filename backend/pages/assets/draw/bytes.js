/** Bytes and their order: UTF-8, hexadecimal, ids by their UTF-8 bytes (draw.md section 2.2). */

const ENCODER = new TextEncoder();
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const WHOLE_BYTES = /^(?:[0-9a-f]{2})*$/;
const SURROGATE = /[\ud800-\udfff]/;

export function utf8(text) {
  return ENCODER.encode(text);
}

export function hex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of lower-case hexadecimal text, the one spelling; null where it is none. */
export function unhex(text) {
  if (typeof text !== "string" || !WHOLE_BYTES.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A tag of draw.md section 4, padded with zero bytes to 32 bytes. */
export function pad32(tag) {
  const padded = new Uint8Array(32);
  padded.set(utf8(tag));
  return padded;
}

// UTF-16 puts U+E000–FFFF after the surrogates of U+10000 and above; UTF-8 puts them before.
function rank(unit) {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** Negative, zero or positive: the order of two texts by their UTF-8 bytes. */
export function compare(left, right) {
  if (left === right) return 0;
  if (!SURROGATE.test(left) && !SURROGATE.test(right)) return left < right ? -1 : 1;
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * Ed25519 signatures checked with integers alone (RFC 8032): a page has WebCrypto only where it
 * was fetched over https, and a record is checked everywhere or it is not checked.
 * Stricter than some: no point of small order, canonical encodings, a scalar below the order.
 */

import { join } from "./bytes.js";
import { sha512 } from "./sha512.js";

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT = power(2n, (P - 1n) / 4n);
const NEUTRAL = [0n, 1n, 1n, 0n];
const BASE = decode(mod(4n * power(5n, P - 2n)));

function mod(value) {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base, exponent) {
  let [result, square] = [1n, base];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

// Points are [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z; adding also doubles.
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * t2 * D);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function little(bytes) {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** The point of an encoding as a number, null where it is none. */
function decode(encoded) {
  const sign = encoded >> 255n;
  const y = BigInt.asUintN(255, encoded);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * power(mod(D * y * y + 1n), P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT);
  if (mod(x * x) !== square || (x === 0n && sign === 1n)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function encode([x, y, z]) {
  const inverse = power(z, P - 2n);
  return mod(y * inverse) | ((mod(x * inverse) & 1n) << 255n);
}

function isSmall(point) {
  let eight = point;
  for (let times = 0; times < 3; times += 1) eight = add(eight, eight);
  return eight[0] === 0n && eight[1] === eight[2];
}

/** scalar · base − challenge · key, both products at once, bit by bit. */
function combined(scalar, challenge, key) {
  const negative = [P - key[0], key[1], 1n, P - key[3]];
  const steps = [NEUTRAL, BASE, negative, add(BASE, negative)];
  let point = NEUTRAL;
  for (let bit = 252n; bit >= 0n; bit -= 1n) {
    point = add(point, point);
    const which = ((scalar >> bit) & 1n) + 2n * ((challenge >> bit) & 1n);
    if (which !== 0n) point = add(point, steps[which]);
  }
  return point;
}

/** Whether the 64 signature bytes over a message are those of the 32-byte public key. */
export function isSigned(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  const commit = signature.subarray(0, 32);
  const scalar = little(signature.subarray(32));
  const point = decode(little(key));
  if (point === null || isSmall(point) || scalar >= ORDER) return false;
  const challenge = little(sha512(join(commit, key, message))) % ORDER;
  const reached = combined(scalar, challenge, point);
  return !isSmall(reached) && encode(reached) === little(commit);
}

// Verifies signatures with the browser's own cryptography; Ed25519 with plain integers where an
// older browser lacks it (curves.py).

const SPKI_P256 = unhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
const SPKI_P256_BYTES = 91;
const SPKI_ED25519 = unhex("302a300506032b6570032100");
const Q = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const digest = async (bytes, name = "SHA-256") =>
  new Uint8Array(await crypto.subtle.digest(name, bytes));

async function p256(spki) {
  const begins = same(spki.subarray(0, SPKI_P256.length), SPKI_P256);
  if (spki.length !== SPKI_P256_BYTES || !begins) return null;
  try {
    return await crypto.subtle.importKey("spki", spki, ECDSA, false, ["verify"]);
  } catch {
    return null;
  }
}

const es256 = (key, message, signature) =>
  crypto.subtle.verify(ECDSA, key, signature, message);

function der(signature) {
  const numbers = [signature.slice(0, 32), signature.slice(32, 64)].map((half) => {
    let number = half.subarray(half.findIndex((byte) => byte > 0));
    if (number[0] >= 128) number = join(Uint8Array.of(0), number);
    return join(Uint8Array.of(2, number.length), number);
  });
  const body = join(...numbers);
  return join(Uint8Array.of(48, body.length), body);
}

const mod = (value) => ((value % Q) + Q) % Q;

function power(base, exponent) {
  let result = 1n;
  for (let left = exponent, square = mod(base); left; left >>= 1n) {
    if (left & 1n) result = (result * square) % Q;
    square = (square * square) % Q;
  }
  return result;
}

const inverse = (value) => power(value, Q - 2n);
const D = mod(-121665n * inverse(121666n));

function plus(one, other) {
  const a = mod((one[1] - one[0]) * (other[1] - other[0]));
  const b = mod((one[1] + one[0]) * (other[1] + other[0]));
  const c = mod(2n * one[3] * other[3] * D);
  const d = mod(2n * one[2] * other[2]);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(scalar, base) {
  let total = [0n, 1n, 1n, 0n];
  for (let left = scalar, double = base; left; left >>= 1n) {
    if (left & 1n) total = plus(total, double);
    double = plus(double, double);
  }
  return total;
}

function point(y, sign) {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (Q + 3n) / 8n);
  if (mod(x * x - square)) x = mod(x * power(2n, (Q - 1n) / 4n));
  if (y >= Q || mod(x * x - square) || (!x && sign)) return null;
  if ((x & 1n) !== sign) x = Q - x;
  return [x, y, 1n, mod(x * y)];
}

const little = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);

async function ed25519Plain(key, message, signature) {
  const [number, s] = [little(key), little(signature.subarray(32))];
  const [own, base] = [
    point(number & (2n ** 255n - 1n), number >> 255n),
    point(mod(4n * inverse(5n)), 0n),
  ];
  if (!own || s >= L) return false;
  const hashed = await digest(join(signature.subarray(0, 32), key, message), "SHA-512");
  const minus = [Q - own[0], own[1], 1n, Q - own[3]];
  const [x, y, z] = plus(times(s, base), times(little(hashed) % L, minus));
  const out = inverse(z);
  const spelled = mod(y * out) + ((mod(x * out) & 1n) << 255n);
  return spelled === little(signature.subarray(0, 32));
}

async function ed25519(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  let known;
  try {
    known = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return ed25519Plain(key, message, signature);
  }
  return crypto.subtle.verify({ name: "Ed25519" }, known, signature, message);
}

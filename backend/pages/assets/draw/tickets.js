/** The primitives of draw.md section 4: tickets and unbiased numbers below n. */

import { hex, join, pad32, unhex, utf8 } from "./bytes.js";
import { hashOf } from "./digest.js";
import { refuse } from "./errors.js";

/** T of draw.md: one more than the largest ticket. */
export const T = 1n << 256n;

/** The 32 bytes of a seed, key or secret in hexadecimal. Raises E_TYPE. */
export function bytes32(text) {
  const bytes = unhex(text);
  return bytes !== null && bytes.length === 32 ? bytes : refuse("E_TYPE");
}

/** lab(v, j) = id ‖ 0x00 ‖ decimal j; further parts follow in the same way. */
export function label(...parts) {
  return utf8(parts.join("\0"));
}

/** What a seed answers: one deterministic source for the whole draw. */
export class Tickets {
  /** `seed`: 64 hexadecimal digits. */
  constructor(alg, seed) {
    this.hash = hashOf(alg);
    this.seed = bytes32(seed);
    this.kept = new Map();
  }

  after(tag) {
    let hash = this.kept.get(tag);
    if (hash === undefined) {
      hash = this.hash.after(join(pad32(tag), this.seed));
      this.kept.set(tag, hash);
    }
    return hash;
  }

  /** A BigInt below 2^256 for a label (bytes). */
  ticket(tag, bytes) {
    return BigInt(`0x${hex(this.after(tag)(bytes))}`);
  }

  /** A BigInt below n, every value equally likely: draws beyond the last whole n are repeated. */
  uniform(tag, bytes, n) {
    const limit = T - (T % n);
    const counted = new Uint8Array(bytes.length + 5);
    counted.set(bytes);
    const counter = new DataView(counted.buffer, bytes.length + 1, 4);
    for (let round = 0; ; round += 1) {
      counter.setUint32(0, round);
      const value = this.ticket(tag, counted);
      if (value < limit) return value % n;
    }
  }

  /** One item of a list that is not empty. */
  pick(tag, bytes, items) {
    return items[Number(this.uniform(tag, bytes, BigInt(items.length)))];
  }
}

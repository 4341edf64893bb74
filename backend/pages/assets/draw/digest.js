/** The two hash functions of the draw, synchronous, with a state kept after a prefix. */

import { refuse } from "./errors.js";
import * as sha256 from "./sha256.js";
import * as sm3 from "./sm3.js";

const BLOCK = 64;
const ALGORITHMS = new Map([
  ["sha256", sha256],
  ["sm3", sm3],
]);

// One tail buffer for all: hashing never awaits, so no two hashes are under way at once.
const tail = new Uint8Array(2 * BLOCK);
const tailBlocks = [new DataView(tail.buffer, 0, BLOCK), new DataView(tail.buffer, BLOCK, BLOCK)];

function blocks(step, state, bytes) {
  const whole = bytes.length - (bytes.length % BLOCK);
  for (let at = 0; at < whole; at += BLOCK) {
    step(state, new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK));
  }
  return whole;
}

// The rest of the message, 0x80, zeros and the length in bits: one block or two.
function finish(step, state, rest, length) {
  tail.fill(0);
  tail.set(rest);
  tail[rest.length] = 0x80;
  const count = rest.length + 9 > BLOCK ? 2 : 1;
  const last = tailBlocks[count - 1];
  last.setUint32(BLOCK - 8, Math.floor(length / 2 ** 29));
  last.setUint32(BLOCK - 4, (length * 8) >>> 0);
  for (let at = 0; at < count; at += 1) step(state, tailBlocks[at]);
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  for (let at = 0; at < state.length; at += 1) view.setInt32(4 * at, state[at]);
  return digest;
}

/** A hash function by its name in `alg`. Raises E_ALG. */
export function hashOf(alg) {
  const { START, step } = ALGORITHMS.get(alg) ?? refuse("E_ALG");

  function continued(from, bytes, before) {
    const state = Int32Array.from(from);
    const whole = blocks(step, state, bytes);
    return finish(step, state, bytes.subarray(whole), before + bytes.length);
  }

  return {
    /** The digest of bytes: 32 bytes. */
    digest: (bytes) => continued(START, bytes, 0),
    /** The digest of a prefix of whole blocks, hashed once here, followed by other bytes. */
    after(prefix) {
      const state = Int32Array.from(START);
      blocks(step, state, prefix);
      return (bytes) => continued(state, bytes, prefix.length);
    },
  };
}

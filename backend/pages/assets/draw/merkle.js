/** Commitment to a frame: salted leaves under an RFC 6962 tree (draw.md section 2.4). */

import { compare, hex, join, pad32, utf8 } from "./bytes.js";
import { canonicalBytes } from "./canon.js";
import { hashOf } from "./digest.js";
import { refuse } from "./errors.js";
import { bytes32 } from "./tickets.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Rows in the order of their ids' bytes; rows of one id keep their order. */
function byId(rows) {
  return [...rows].sort((left, right) => compare(left.id, right.id));
}

// The largest power of two below the count goes left.
function subtree(digest, leaves, from, until) {
  if (until - from === 1) return leaves[from];
  let left = 1;
  while (2 * left < until - from) left *= 2;
  const l = subtree(digest, leaves, from, from + left);
  const r = subtree(digest, leaves, from + left, until);
  return digest(join(NODE, l, r));
}

/** The root over leaves (32 bytes each) as 32 bytes; of none, the digest of nothing. */
export function root(alg, leaves) {
  const { digest } = hashOf(alg);
  if (leaves.length === 0) return digest(new Uint8Array(0));
  return subtree(digest, leaves, 0, leaves.length);
}

/**
 * The root of a frame in hexadecimal: `key` is its 32 bytes K, rows come in any order.
 * Raises E_ID and the errors of the canonical form.
 */
export function frameRoot(alg, key, rows) {
  if (!rows.every((row) => typeof row?.id === "string")) refuse("E_ID");
  const hash = hashOf(alg);
  const salt = hash.after(join(pad32("ssj1.salt"), key));
  const leaves = byId(rows).map((row) => {
    const bytes = canonicalBytes(row);
    return hash.digest(join(LEAF, salt(utf8(row.id)), bytes));
  });
  return hex(root(alg, leaves));
}

// From a leaf up: where a sibling exists the path must hold it, and nothing may be left over.
function climbed(digest, node, path, { index, count }) {
  let [at, size, used, reached] = [index, count, 0, node];
  for (; size > 1; [at, size] = [Math.floor(at / 2), Math.ceil(size / 2)]) {
    const right = at % 2 === 1;
    if (!right && at + 1 >= size) continue;
    if (used === path.length) return null;
    const beside = path[used];
    used += 1;
    reached = right ? digest(join(NODE, beside, reached)) : digest(join(NODE, reached, beside));
  }
  return used === path.length ? reached : null;
}

/** Whether a proof {row, salt, index, count, path} opens a row of the frame with this root. */
export function checkOpening(alg, frame, proof) {
  const path = proof.path.map(bytes32);
  const { index, count } = proof;
  if (!(index >= 0 && index < count)) return false;
  const { digest } = hashOf(alg);
  const leaf = digest(join(LEAF, bytes32(proof.salt), canonicalBytes(proof.row)));
  const reached = climbed(digest, leaf, path, proof);
  return reached !== null && hex(reached) === frame;
}

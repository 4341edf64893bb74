/** Commitment to a frame: salted leaves under an RFC 6962 tree (draw.md section 2.4). */

import { compare, join, pad32, utf8 } from "./bytes.js";
import { canonicalBytes } from "./canon.js";
import { hashOf } from "./digest.js";
import { refuse } from "./errors.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Rows in the order of their ids' bytes; rows of one id keep their order. */
export function byId(rows) {
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

/** The root of a frame: `key` is its 32 bytes K, rows in any order. Raises canonical errors. */
export function frameRoot(alg, key, rows) {
  if (!rows.every((row) => typeof row?.id === "string")) refuse("E_ID");
  const hash = hashOf(alg);
  const salt = hash.after(join(pad32("ssj1.salt"), key));
  const leaves = byId(rows).map((row) => {
    const bytes = canonicalBytes(row);
    return hash.digest(join(LEAF, salt(utf8(row.id)), bytes));
  });
  return root(alg, leaves);
}

/** Commitments of the parties and the seed made of what they reveal (draw.md section 3). */

import { compare, hex, join, pad32 } from "./bytes.js";
import { canonicalBytes } from "./canon.js";
import { hashOf } from "./digest.js";
import { refuse } from "./errors.js";
import { bytes32 } from "./tickets.js";

const ENTROPY = ["ref", "source", "value"];

/** The digest of a value's canonical form, in hexadecimal. */
export function digestOf(alg, value) {
  return hex(hashOf(alg).digest(canonicalBytes(value)));
}

/** A party's commitment to 32 secret bytes (hexadecimal), bound to draw, attempt and party. */
export function commitment(alg, { draw, attempt, party, secret }) {
  const bound = canonicalBytes({ attempt, draw, party });
  return hex(hashOf(alg).digest(join(pad32("ssj1.commit"), bytes32(secret), bound)));
}

function sortedEntropy(entries) {
  for (const entry of entries) {
    if (Object.keys(entry).sort().join() !== ENTROPY.join()) refuse("E_KEY");
    if (!ENTROPY.every((key) => typeof entry[key] === "string")) refuse("E_TYPE");
  }
  const byRef = (a, b) => compare(a.source, b.source) || compare(a.ref, b.ref);
  return [...entries].sort(byRef);
}

/**
 * The seed in hexadecimal. `reveals`: party → 32 bytes in hexadecimal; `entropy` may be absent.
 * Raises E_TYPE, E_KEY, E_ALG and the errors of the canonical form.
 */
export function seedOf(alg, draw) {
  const reveals = Object.entries(draw.reveals)
    .sort(([left], [right]) => compare(left, right))
    .map(([party, value]) => ({ party, value: hex(bytes32(value)) }));
  const whole = canonicalBytes({
    alg,
    attempt: draw.attempt,
    draw: draw.draw,
    entropy: sortedEntropy(draw.entropy ?? []),
    frame_inspectors: draw.frame_inspectors,
    frame_objects: draw.frame_objects,
    plan: digestOf(alg, draw.plan),
    reveals,
  });
  return hex(hashOf(alg).digest(join(pad32("ssj1.seed"), whole)));
}

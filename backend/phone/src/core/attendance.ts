/**
 * What a partial roll-call proves, exactly.
 * Twin of inspection_plans/attendance.py (at_least_absent); the same numbers hold both.
 */

/** One-sided: a number of absentees is ruled out when its tail is at most one in twenty. */
const RARE = { numerator: 1n, denominator: 20n } as const;

/** Fewest absentees that a call of `called` of `roster` persons, `absent` of them missing, leaves possible. */
export function atLeastAbsent(roster: number, called: number, absent: number): number {
  if (!(absent >= 0 && absent <= called && called <= roster)) {
    throw new RangeError("attendance.counts_disagree");
  }
  let [low, high] = [absent, roster - (called - absent)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isRuledOut(roster, called, absent, middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/**
 * Whether seeing `absent` or more is too rare if `total` were absent. Each term comes from the one
 * before it: with four hundred names every tap asks this, on a slow phone.
 */
function isRuledOut(roster: number, called: number, absent: number, total: number): boolean {
  const here = roster - total;
  let seen = Math.max(absent, called - here);
  let term = choose(total, seen) * choose(here, called - seen);
  let tail = 0n;
  for (; seen <= Math.min(called, total); seen += 1) {
    tail += term;
    const more = BigInt((total - seen) * (called - seen));
    term = (term * more) / BigInt((seen + 1) * (here - called + seen + 1));
  }
  return tail * RARE.denominator <= RARE.numerator * choose(roster, called);
}

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) {
    return 0n;
  }
  let made = 1n;
  for (let at = 1; at <= Math.min(k, n - k); at += 1) {
    made = (made * BigInt(n - at + 1)) / BigInt(at);
  }
  return made;
}

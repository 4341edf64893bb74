/**
 * A text made plain for the search of words, with the way back to where each character stood.
 * Twin of inspection_plans/lexicon/folding.py; places count code points, as there.
 */

/** What stands between two characters that are read together, weakest first. */
export const GAP = { none: 0, blank: 1, list: 2, break: 3, stop: 4 } as const;

export interface Folded {
  readonly core: string;
  readonly at: readonly number[];
  readonly gaps: readonly number[];
  readonly stops: readonly number[];
  readonly breaks: readonly number[];
}

const KEPT = "%";
const STOPS = new Set("。！？；!?;");
const BREAKS = new Set("，,：:");
const LISTS = new Set("、");
const SEPARATES = /^[\p{P}\p{S}\p{Z}\p{C}\p{M}]$/u;
/** Stands for a character that takes two units here and one there; no word has it. */
const RARE = "\uE000";
const PARAGRAPH = 2;

export function fold(text: readonly string[], traditional: ReadonlyMap<string, string>): Folded {
  const plain = new Map<string, string>();
  let core = "";
  const [at, gaps]: [number[], number[]] = [[], []];
  let gap: number = GAP.stop;
  let lines = 0;
  text.forEach((character, place) => {
    const folded = plain.get(character) ?? plainOf(character, traditional);
    plain.set(character, folded);
    if (folded !== "") {
      for (let n = 0; n < folded.length; n += 1) {
        gaps.push(n === 0 ? gap : GAP.none);
        at.push(place);
      }
      core += folded;
      [gap, lines] = [GAP.none, 0];
      return;
    }
    lines += Number(character === "\n");
    gap = Math.max(gap, lines >= PARAGRAPH ? GAP.stop : gapOf(character));
  });
  gaps.push(GAP.stop);
  const bounds = (width: number): number[] =>
    gaps.flatMap((found, place) => (found >= width ? [place] : []));
  return { core, at, gaps, stops: bounds(GAP.stop), breaks: bounds(GAP.break) };
}

function plainOf(character: string, traditional: ReadonlyMap<string, string>): string {
  // Upper and lower again comes to the same as folding the case of single characters.
  const folded = character.normalize("NFKC").toUpperCase().toLowerCase();
  return [...folded]
    .filter((one) => one === KEPT || !SEPARATES.test(one))
    .map((one) => traditional.get(one) ?? one)
    .map((one) => (one.length > 1 ? RARE : one))
    .join("");
}

function gapOf(character: string): number {
  if (STOPS.has(character)) {
    return GAP.stop;
  }
  if (BREAKS.has(character)) {
    return GAP.break;
  }
  return LISTS.has(character) ? GAP.list : GAP.blank;
}

/** The widest gap between the characters from `start` to `end`. */
export function widest(folded: Folded, start: number, end: number): number {
  let found: number = GAP.none;
  for (let place = start + 1; place < end && place < folded.gaps.length; place += 1) {
    found = Math.max(found, folded.gaps[Math.max(place, 0)]!);
  }
  return found;
}

/** Where the sentence or clause of a position begins. */
export function opening(position: number, bounds: readonly number[]): number {
  return bounds[after(position, bounds) - 1] ?? bounds[bounds.length - 1]!;
}

/** Where the sentence or clause of a position ends, exclusive. */
export function closing(position: number, bounds: readonly number[]): number {
  return bounds[after(position, bounds)]!;
}

/** How many bounds are at most this position. */
function after(position: number, bounds: readonly number[]): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! <= position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

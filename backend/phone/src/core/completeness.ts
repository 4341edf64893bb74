/**
 * What the record on this phone still lacks: items that are asked, evidence, broken bounds.
 * Twin of inspection_plans/completeness.py for one device; shared vectors hold both.
 */

import { isJudged, judge } from "./checklist.ts";
import { broken, entry, holds, isEntries } from "./expression.ts";
import type { Known, Tree } from "./expression.ts";
import { findItem } from "./sheet.ts";
import type { Answer, Item, Requirement, Sheet } from "./sheet.ts";

export type Carrier = "image" | "video" | "audio" | "file" | "interview" | "location";

/** Pieces by item code and carrier. */
export type Held = Readonly<Record<string, Readonly<Partial<Record<Carrier, number>>>>>;

export interface MissingEvidence {
  readonly item: string;
  readonly kind: string;
  readonly wanted: number;
  readonly held: number;
}

export interface BrokenBound {
  readonly item: string;
  readonly constraint: number;
}

const PAPER: readonly Carrier[] = ["image", "file"];
const CARRIERS: ReadonlyMap<string, readonly Carrier[]> = new Map([
  ["photo", ["image"]],
  ["video", ["video"]],
  ["recording", ["video", "audio"]],
  ["interview", ["interview"]],
  ["location", ["location"]],
]);

/** What may carry a kind of evidence; a paper may be photographed or filed. */
export function carriersOf(kind: string): readonly Carrier[] {
  return CARRIERS.get(kind) ?? PAPER;
}

/** What is known by these answers; one that is wrong yet counts as none. */
export function knownFrom(
  sheet: Sheet,
  answers: readonly Answer[],
  facts: Readonly<Record<string, unknown>>,
): Known {
  const values: [string, Readonly<Record<string, unknown>>][] = [];
  const verdicts: [string, string][] = [];
  for (const answer of answers) {
    const found = judge(sheet, answer);
    if (isJudged(found)) {
      verdicts.push([found.item, found.verdict]);
      if (answer.value !== undefined && answer.value !== null) {
        values.push([found.item, answer.value]);
      }
    }
  }
  return {
    facts,
    answers: Object.fromEntries(values),
    verdicts: Object.fromEntries(verdicts),
  };
}

/** Codes of the items that are asked, in the order of the sheet. */
export function relevantItems(sheet: Sheet, known: Known): readonly string[] {
  const shown = visible(sheet, known);
  return sheet.items.filter((item) => isRelevant(item, shown)).map((item) => item.code);
}

/** Codes of required items that are asked and have no answer, in the order of the sheet. */
export function missingItems(sheet: Sheet, known: Known): readonly string[] {
  return asked(sheet, known)
    .filter((item) => item.required !== false && entry(known.verdicts, item.code) === undefined)
    .map((item) => item.code);
}

/** What the inspector still owes; items skipped or excused owe nothing. */
export function missingEvidence(
  sheet: Sheet,
  known: Known,
  held: Held,
  excused: ReadonlySet<string> = new Set(),
): readonly MissingEvidence[] {
  const shown = visible(sheet, known);
  return asked(sheet, known).flatMap((item) => {
    const verdict = entry(known.verdicts, item.code);
    if ((verdict !== "pass" && verdict !== "fail") || excused.has(item.code)) {
      return [];
    }
    const owed = (item.evidence ?? []).filter((one) => isOwed(one, verdict, shown));
    return unmet(item.code, owed, Object.hasOwn(held, item.code) ? (held[item.code] ?? {}) : {});
  });
}

/** Constraints that the values certainly break, in the order of the sheet. */
export function brokenBounds(sheet: Sheet, known: Known): readonly BrokenBound[] {
  const shown = visible(sheet, known);
  return asked(sheet, known).flatMap((item) =>
    (item.constraints ?? []).flatMap((bound, constraint) =>
      broken(bound.holds, shown) ? [{ item: item.code, constraint }] : [],
    ),
  );
}

function asked(sheet: Sheet, known: Known): readonly Item[] {
  const codes = new Set(relevantItems(sheet, known));
  return sheet.items.filter((item) => codes.has(item.code));
}

function isRelevant(item: Item, shown: Known): boolean {
  const condition = item.relevant ?? null;
  return condition === null || holds(condition, shown);
}

/** What is known without the answers to items that are not asked. */
function visible(sheet: Sheet, known: Known): Known {
  const found = new Map<string, boolean>();
  const isAsked = (code: string): boolean => {
    const before = found.get(code);
    if (before !== undefined) {
      return before;
    }
    // A circle, were there one, ends here.
    found.set(code, false);
    const item = findItem(sheet, code);
    const answer =
      item !== undefined && isRelevant(item, among(known, named(item.relevant).filter(isAsked)));
    found.set(code, answer);
    return answer;
  };
  return among(known, sheet.items.map((item) => item.code).filter(isAsked));
}

function among(known: Known, codes: readonly string[]): Known {
  const kept = new Set(codes);
  const only = <T>(rows: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(rows).filter(([code]) => kept.has(code)));
  return { facts: known.facts, answers: only(known.answers), verdicts: only(known.verdicts) };
}

/** Codes of the items that a condition asks for, in a settled order. */
function named(tree: Tree): readonly string[] {
  const found = new Set<string>();
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(walk);
    } else if (isEntries(node)) {
      for (const [name, inside] of Object.entries(node)) {
        if ((name === "answer" || name === "verdict") && typeof inside === "string") {
          found.add(inside.split(".")[0] ?? "");
        } else {
          walk(inside);
        }
      }
    }
  };
  walk(tree);
  return [...found].sort();
}

function isOwed(one: Requirement, verdict: "pass" | "fail", shown: Known): boolean {
  if ((one.by ?? "inspector") !== "inspector" || (one.when === "fail" && verdict !== "fail")) {
    return false;
  }
  const condition = one.given ?? null;
  return condition === null || holds(condition, shown);
}

/**
 * Give pieces out, first to those that fewest carriers serve: the sets of carriers lie inside
 * each other or apart, so this order never wastes a piece.
 */
function unmet(
  item: string,
  owed: readonly Requirement[],
  held: Readonly<Partial<Record<Carrier, number>>>,
): readonly MissingEvidence[] {
  const left = new Map<Carrier, number>();
  return [...owed].sort(byNeed).flatMap(({ kind, n = 1 }) => {
    let there = 0;
    for (const carrier of carriersOf(kind)) {
      const pieces = left.get(carrier) ?? held[carrier] ?? 0;
      const taken = Math.min(pieces, n - there);
      left.set(carrier, pieces - taken);
      there += taken;
    }
    return there < n ? [{ item, kind, wanted: n, held: there }] : [];
  });
}

function byNeed(one: Requirement, other: Requirement): number {
  const carriers = carriersOf(one.kind).length - carriersOf(other.kind).length;
  if (carriers !== 0) {
    return carriers;
  }
  if (one.kind !== other.kind) {
    return one.kind < other.kind ? -1 : 1;
  }
  return (one.n ?? 1) - (other.n ?? 1);
}

/**
 * Words of advertisements: looked for in disguise too, with the clauses they break.
 * Twin of inspection_plans/lexicon/__init__.py; the corpus of its tests holds both.
 */

import { Judge } from "./context.ts";
import { GAP, closing, fold, opening, widest } from "./folding.ts";
import type { Folded } from "./folding.ts";
import { Pattern, anyOf } from "./words.ts";
import type { Entry, Found, Lists, Mark } from "./words.ts";

/** `start` and `end` count code points of the original text, end exclusive. */
export interface Hit {
  readonly concept: string;
  readonly term: string;
  readonly mark: Mark;
  readonly start: number;
  readonly end: number;
  readonly clauses: readonly string[];
}

interface Look {
  readonly entry: Entry;
  readonly form: Pattern;
  readonly after: Pattern | null;
  readonly unlessAfter: Pattern | null;
  readonly before: Pattern | null;
  readonly unlessBefore: Pattern | null;
  readonly across: Pattern | null;
}

const NUMBER =
  "[\\d\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341\u767e\u5343\u4e07\u4e24\u51e0\u96f6\u534a\u591a\u4f59\u81f3\u5230\u8d77\u4ee5\u4e0a\u7ea6\u8fbek\u5143\u5757%]{0,12}";
const ALONE = 2;
const GUARD = 8;

function ending(words: readonly string[] = []): Pattern | null {
  return words.length === 0 ? null : new Pattern(`(?:${anyOf(words)})$`);
}

function starting(words: readonly string[] = []): Pattern | null {
  return words.length === 0 ? null : new Pattern(`(?:${anyOf(words)})`, true);
}

function looksOf(entry: Entry): readonly Look[] {
  return entry.forms.map((form) => ({
    entry,
    form: new Pattern(form.replaceAll("#", NUMBER)),
    after: ending(entry.after),
    unlessAfter: ending(entry.unless_after),
    before: starting(entry.before),
    unlessBefore: starting(entry.unless_before),
    across: ending(entry.across),
  }));
}

export class Lexicon {
  private readonly lists: Lists;
  private readonly looks: readonly Look[];
  private readonly judge: Judge;
  private readonly lawful: readonly { phrase: Pattern; unless: readonly string[] }[];
  private readonly traditional: ReadonlyMap<string, string>;
  private readonly placeAfter: Pattern | null;
  private readonly placeUnless: Pattern | null;
  private readonly placeBefore: Pattern | null;
  private readonly beside: Pattern;

  constructor(lists: Lists) {
    const { contexts, places, folding } = lists;
    this.lists = lists;
    this.looks = lists.entries.flatMap(looksOf);
    this.judge = new Judge(contexts);
    this.lawful = contexts.lawful.map((row) => ({
      phrase: new Pattern(anyOf([row.phrase])),
      unless: row.unless_before ?? [],
    }));
    this.traditional = new Map(
      folding.traditional.flatMap((line) =>
        line.split(" ").map((pair): [string, string] => [[...pair][0]!, [...pair][1]!]),
      ),
    );
    this.placeAfter = ending(places.after);
    this.placeUnless = ending(places.unless_after);
    this.placeBefore = starting(places.before);
    this.beside = new Pattern(`(?:${anyOf(places.words)})(?!${anyOf(places.not_followed)})`);
  }

  /** What a text promises, where it stands, and the prohibitions in force; `home` is the place's lineage. */
  scan(text: string, home: readonly string[]): readonly Hit[] {
    const { banned, places } = this.lists;
    const points = [...text];
    const folded = fold(points, this.traditional);
    const lawful = this.lawfulPlaces(folded);
    const found = this.found(folded).filter((one) => !lawful.has(one.start));
    if (places.concept in banned) {
      found.push(...this.besidePlaces(folded, home, lawful));
    }
    const kept = longest(found);
    const marks = this.judge.marks(kept, points, folded);
    return kept.map((one, number) => ({
      concept: one.concept,
      term: one.term,
      mark: marks[number]!,
      start: folded.at[one.start]!,
      end: folded.at[one.end - 1]! + 1,
      clauses: banned[one.concept] ?? [],
    }));
  }

  private found(folded: Folded): Found[] {
    const { banned } = this.lists;
    const found: Found[] = [];
    for (const look of this.looks.filter(({ entry }) => entry.concept in banned)) {
      for (const match of look.form.each(folded.core)) {
        const [start, end] = [match.index, match.index + match[0].length];
        if (stands(look, start, end, folded)) {
          const { concept, term, mark = "hit" } = look.entry;
          found.push({ concept, term, start, end, mark });
        }
      }
    }
    return found;
  }

  private lawfulPlaces(folded: Folded): ReadonlySet<number> {
    const places = new Set<number>();
    for (const { phrase, unless } of this.lawful) {
      for (const match of phrase.each(folded.core)) {
        const end = match.index + match[0].length;
        if (!unless.some((word) => folded.core.startsWith(word, end))) {
          for (let place = match.index; place < end; place += 1) {
            places.add(place);
          }
        }
      }
    }
    return places;
  }

  private *besidePlaces(
    folded: Folded,
    home: readonly string[],
    lawful: ReadonlySet<number>,
  ): Generator<Found> {
    const { places, contexts } = this.lists;
    const away = Object.entries(places.provinces).filter(([code]) => !home.includes(code));
    const names = new Pattern(anyOf(away.flatMap(([, words]) => words)));
    const reach = contexts.reach.beside;
    const near = [...names.each(folded.core)]
      .map((match): [number, number] => [match.index, match.index + match[0].length])
      .filter(([start, end]) => this.isPlace(folded, start, end));
    for (const match of this.beside.each(folded.core)) {
      const [start, end] = [match.index, match.index + match[0].length];
      const [begin, stop] = [opening(start, folded.stops), closing(start, folded.stops)];
      if (lawful.has(start) || widest(folded, start, end) >= GAP.list) {
        continue;
      }
      const first = near.findIndex(([, till]) => till > start - reach);
      const close = first < 0 ? [] : near.slice(first, first + reach);
      if (close.some(([a, b]) => begin <= a && b <= stop && a - end <= reach)) {
        yield { concept: places.concept, term: match[0], start, end, mark: "question" };
      }
    }
  }

  private isPlace(folded: Folded, start: number, end: number): boolean {
    if (this.placeBefore?.find(folded.core, end)) {
      return false;
    }
    const left = folded.core.slice(Math.max(0, start - GUARD), start);
    return !guards(this.placeAfter, this.placeUnless, left);
  }
}

/** Whether a match is a word: not torn apart by punctuation, not part of another word. */
function stands(look: Look, start: number, end: number, folded: Folded): boolean {
  const inner = widest(folded, start, end);
  const torn = inner >= GAP.list && !splitEvenly(folded, start, end);
  if (torn && !crosses(look, start, inner, folded)) {
    return false;
  }
  // A guard counts only when it is written as closely as the word itself.
  if (guards(look.after, look.unlessAfter, closeLeft(folded, start, inner))) {
    return false;
  }
  const right = closeRight(folded, end, inner);
  return (
    look.before === null ||
    !(look.before.find(right) !== null && (look.unlessBefore?.find(right) ?? null) === null)
  );
}

function crosses(look: Look, start: number, inner: number, folded: Folded): boolean {
  if (look.across === null || inner >= GAP.stop) {
    return false;
  }
  return look.across.find(folded.core, Math.max(0, start - GUARD), start) !== null;
}

function guards(guard: Pattern | null, unless: Pattern | null, left: string): boolean {
  if (guard === null || guard.find(left) === null) {
    return false;
  }
  return unless === null || unless.find(left) === null;
}

function closeLeft(folded: Folded, start: number, inner: number): string {
  let begin = start;
  while (begin > 0 && start - begin < GUARD && folded.gaps[begin]! <= inner) {
    begin -= 1;
  }
  return folded.core.slice(begin, start);
}

function closeRight(folded: Folded, end: number, inner: number): string {
  let stop = end;
  while (stop < folded.core.length && stop - end < GUARD && folded.gaps[stop]! <= inner) {
    stop += 1;
  }
  return folded.core.slice(end, stop);
}

/** Whether the same punctuation stands between all characters; two of them must stand alone. */
function splitEvenly(folded: Folded, start: number, end: number): boolean {
  if (new Set(folded.gaps.slice(start + 1, end)).size !== 1) {
    return false;
  }
  const alone = folded.gaps[start]! > GAP.none && folded.gaps[end]! > GAP.none;
  return end - start > ALONE || alone;
}

/** Of overlapping places of one concept the longest, then the first; sorted by place. */
function longest(found: readonly Found[]): readonly Found[] {
  const taken = new Map<string, Set<number>>();
  const kept: Found[] = [];
  const sorted = [...found].sort(
    (one, other) =>
      one.start - one.end - (other.start - other.end) ||
      one.start - other.start ||
      compare(one.term, other.term),
  );
  for (const one of sorted) {
    const used = taken.get(one.concept) ?? new Set<number>();
    taken.set(one.concept, used);
    const places = Array.from({ length: one.end - one.start }, (_, n) => one.start + n);
    if (places.every((place) => !used.has(place))) {
      places.forEach((place) => used.add(place));
      kept.push(one);
    }
  }
  return kept.sort(
    (one, other) => one.start - other.start || one.end - other.end || compare(one.concept, other.concept),
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

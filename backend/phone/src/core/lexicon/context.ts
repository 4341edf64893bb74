/**
 * What the words around a hit make of it: denied, condemned, quoted or asked.
 * Twin of inspection_plans/lexicon/context.py.
 */

import { GAP, closing, opening, widest } from "./folding.ts";
import type { Folded } from "./folding.ts";
import { Pattern, anyOf, noneBefore } from "./words.ts";
import type { Contexts, Found, Mark } from "./words.ts";

const OPENS = new Set("“「『‘\"'《");
const CLOSES = new Set("”」』’\"'》");
const TOLD = 4;

export class Judge {
  private readonly reach: Contexts["reach"];
  private readonly forbids: Pattern;
  private readonly turns: Pattern;
  private readonly denies: Pattern;
  private readonly links: Pattern;
  private readonly condemns: Pattern;
  private readonly harmless: RegExp;
  private readonly sells: Pattern;
  private readonly asked: Pattern;
  private readonly asks: Pattern;

  constructor(contexts: Contexts) {
    const fillers = anyOf(contexts.fillers);
    const harmless = anyOf(contexts.harmless);
    this.reach = contexts.reach;
    this.forbids = new Pattern(`(?:${harmless})|(${anyOf(contexts.forbids)})`);
    this.turns = new Pattern(anyOf(contexts.turns));
    this.denies = new Pattern(`(?:${anyOf(contexts.denies)})(?:${fillers}){0,5}$`);
    this.links = new Pattern(`^(?:${fillers}){0,3}$`);
    this.condemns = new Pattern(`${noneBefore(contexts.cancels)}(?:${anyOf(contexts.condemns)})`);
    this.harmless = new RegExp(harmless, "g");
    this.sells = new Pattern(anyOf(contexts.sells));
    this.asked = new Pattern(anyOf(contexts.asks_after).replace(/^(.*)$/, "(?:$1)"), true);
    this.asks = new Pattern(`(?:${anyOf(contexts.asks_before)})(?:${fillers})?$`);
  }

  /** The mark of each place; the places come sorted by where they start. */
  marks(found: readonly Found[], text: readonly string[], folded: Folded): readonly Mark[] {
    let last: Found | null = null;
    let [denied, asked] = [false, false];
    return found.map((one, number) => {
      const listed: boolean = last !== null && this.linked(last, one, folded);
      asked = (asked && listed) || this.askedBefore(one, folded);
      denied = !asked && ((denied && listed) || this.denied(one, folded));
      last = one;
      if (denied || this.told(one, found[number + 1], text, folded)) {
        return "negated";
      }
      return asked || this.askedAfter(one, folded) ? "question" : one.mark;
    });
  }

  private told(one: Found, next: Found | undefined, text: readonly string[], folded: Folded): boolean {
    return (
      this.forbidden(one, folded) ||
      this.condemned(one, next, folded) ||
      this.quoted(one, text, folded)
    );
  }

  private clauseOf(one: Found, folded: Folded): number {
    return Math.max(opening(one.start, folded.breaks), one.start - this.reach.forbids);
  }

  private denied(one: Found, folded: Folded): boolean {
    return this.denies.find(folded.core, this.clauseOf(one, folded), one.start) !== null;
  }

  private linked(last: Found, one: Found, folded: Folded): boolean {
    if (one.start < last.end) {
      return true;
    }
    const between = folded.core.slice(last.end, one.start);
    const joined = widest(folded, last.end - 1, one.start + 1) <= GAP.list;
    return joined && this.links.find(between) !== null;
  }

  private forbidden(one: Found, folded: Folded): boolean {
    const begin = Math.max(opening(one.start, folded.stops), one.start - this.reach.forbids);
    const before = folded.core.slice(begin, one.start);
    let end = -1;
    for (const match of this.forbids.each(before)) {
      end = match[1] === undefined ? end : match.index + match[0].length;
    }
    return end >= 0 && this.turns.find(before, end) === null;
  }

  private condemned(one: Found, next: Found | undefined, folded: Folded): boolean {
    const { core, stops, breaks } = folded;
    let end = Math.min(closing(one.start, stops), one.end + this.reach.condemns);
    if (next !== undefined && one.end <= next.start && next.start < end) {
      const clause = opening(next.start, breaks);
      if (clause >= one.end && this.condemns.find(core, clause, next.start) !== null) {
        end = clause;
      }
    }
    const behind = core.slice(one.end, Math.max(end, one.end)).replace(this.harmless, "");
    return this.condemns.find(behind) !== null;
  }

  private quoted(one: Found, text: readonly string[], folded: Folded): boolean {
    const [first, last] = [folded.at[one.start]!, folded.at[one.end - 1]!];
    const before = text.slice(Math.max(first - 2, 0), first).join("").trim();
    const behind = text.slice(last + 1, last + 1 + this.reach.quoted);
    if (!OPENS.has(before.slice(-1)) || !behind.some((one) => CLOSES.has(one))) {
      return false;
    }
    const begin = Math.max(opening(one.start, folded.stops), one.start - this.reach.forbids);
    const end = Math.min(closing(one.start, folded.stops), one.end + this.reach.condemns);
    const told = end - begin - (one.end - one.start) >= TOLD;
    return told && this.sells.find(folded.core, begin, end) === null;
  }

  private askedBefore(one: Found, folded: Folded): boolean {
    return this.asks.find(folded.core, this.clauseOf(one, folded), one.start) !== null;
  }

  private askedAfter(one: Found, folded: Folded): boolean {
    return this.asked.find(folded.core, one.end, closing(one.start, folded.stops)) !== null;
  }
}

/** The word lists of advertisements as the handbook brings them; twin of lexicon/words.py. */

export type Mark = "hit" | "negated" | "question";

export interface Entry {
  readonly concept: string;
  readonly term: string;
  readonly forms: readonly string[];
  readonly after?: readonly string[];
  readonly unless_after?: readonly string[];
  readonly before?: readonly string[];
  readonly unless_before?: readonly string[];
  readonly across?: readonly string[];
  readonly mark?: Mark;
}

export interface Lawful {
  readonly phrase: string;
  readonly unless_before?: readonly string[];
}

export interface Contexts {
  readonly lawful: readonly Lawful[];
  readonly forbids: readonly string[];
  readonly harmless: readonly string[];
  readonly turns: readonly string[];
  readonly denies: readonly string[];
  readonly fillers: readonly string[];
  readonly condemns: readonly string[];
  readonly cancels: readonly string[];
  readonly sells: readonly string[];
  readonly asks_after: readonly string[];
  readonly asks_before: readonly string[];
  readonly reach: {
    readonly forbids: number;
    readonly condemns: number;
    readonly quoted: number;
    readonly beside: number;
  };
}

export interface Places {
  readonly concept: string;
  readonly words: readonly string[];
  readonly provinces: Readonly<Record<string, readonly string[]>>;
  readonly after: readonly string[];
  readonly unless_after: readonly string[];
  readonly before: readonly string[];
  readonly not_followed: readonly string[];
}

export interface Lists {
  readonly entries: readonly Entry[];
  readonly contexts: Contexts;
  readonly places: Places;
  readonly folding: { readonly traditional: readonly string[] };
  readonly banned: Readonly<Record<string, readonly string[]>>;
}

/** One place in the folded text; `mark` is what it comes to without its surroundings. */
export interface Found {
  readonly concept: string;
  readonly term: string;
  readonly start: number;
  readonly end: number;
  readonly mark: Mark;
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** Words as one choice, the longest first. */
export function anyOf(words: readonly string[]): string {
  return [...words]
    .sort((one, other) => other.length - one.length || (one < other ? -1 : Number(one > other)))
    .map(escaped)
    .join("|");
}

/** Every escaped word after another as lookbehinds. */
export function noneBefore(words: readonly string[]): string {
  return words.map((word) => `(?<!${escaped(word)})`).join("");
}

/** An expression that is asked at a position, between bounds, as Python's search and match are. */
export class Pattern {
  private readonly expression: RegExp;

  constructor(source: string, sticky = false) {
    this.expression = new RegExp(source, sticky ? "y" : "g");
  }

  find(text: string, from = 0, to = text.length): RegExpExecArray | null {
    this.expression.lastIndex = Math.min(from, to);
    return this.expression.exec(text.slice(0, to));
  }

  *each(text: string): Generator<RegExpExecArray> {
    this.expression.lastIndex = 0;
    for (let next = this.expression.exec(text); next !== null; next = this.expression.exec(text)) {
      const end = this.expression.lastIndex;
      yield next;
      this.expression.lastIndex = end;
    }
  }
}

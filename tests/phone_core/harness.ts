/** Answers one question about many cases: JSON in on stdin, JSON out on stdout. */

import { readFileSync } from "node:fs";
import { atLeastAbsent } from "../../backend/phone/src/core/attendance.ts";
import { judge } from "../../backend/phone/src/core/checklist.ts";
import {
  brokenBounds,
  knownFrom,
  missingEvidence,
  missingItems,
  relevantItems,
} from "../../backend/phone/src/core/completeness.ts";
import type { Held } from "../../backend/phone/src/core/completeness.ts";
import { evaluate } from "../../backend/phone/src/core/expression.ts";
import type { Known } from "../../backend/phone/src/core/expression.ts";
import { Lexicon } from "../../backend/phone/src/core/lexicon/lexicon.ts";
import type { Lists } from "../../backend/phone/src/core/lexicon/words.ts";
import { numbers, sample } from "../../backend/phone/src/core/sampling.ts";
import type { Answer, Sheet } from "../../backend/phone/src/core/sheet.ts";
import { codesOf, partOf } from "../../backend/phone/src/parts/pieces.ts";

/** A colleague's list on its way by QR codes. */
interface Joined {
  readonly visit: string;
  readonly dev: string;
  readonly items: readonly { readonly id: string; readonly sha256: string }[];
}

interface Asked {
  readonly name: string;
  readonly cases: readonly Case[];
  readonly sheets: Readonly<Record<string, Sheet>>;
}

/** A text, the place's lineage, and under which name its word lists stand among the sheets. */
interface Advert {
  readonly text: string;
  readonly home: readonly string[];
  readonly lists: string;
}

/** The fields of all questions; each reads its own. */
interface Case {
  readonly tree: unknown;
  readonly known: Known;
  readonly sheet: string;
  readonly answer: Answer;
  readonly answers: readonly Answer[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly held: Held;
  readonly excused: readonly string[];
  readonly seed: string;
  readonly label: string;
  readonly population: readonly string[];
  readonly size: number;
  readonly n: number;
  readonly roster: number;
  readonly called: number;
  readonly absent: number;
}

const asked = JSON.parse(readFileSync(0, "utf-8")) as Asked;

function sheetOf(one: Case): Sheet {
  const found = asked.sheets[one.sheet];
  if (found === undefined) {
    throw new Error(`no sheet ${one.sheet}`);
  }
  return found;
}

function complete(one: Case): unknown {
  const sheet = sheetOf(one);
  const known = knownFrom(sheet, one.answers, one.facts);
  return {
    relevant: relevantItems(sheet, known),
    items: missingItems(sheet, known),
    evidence: missingEvidence(sheet, known, one.held, new Set(one.excused)),
    bounds: brokenBounds(sheet, known),
  };
}

function joined({ visit, dev, items }: Joined): unknown {
  const codes = codesOf(visit, dev, items);
  return { codes, parts: codes.map(partOf), other: partOf(`${codes[0] ?? ""}!`) };
}

const lexicons = new Map<string, Lexicon>();

/** Prepared once, as on the phone: it keeps nothing of what it judges. */
function advert({ text, home, lists }: Advert): unknown {
  const lexicon =
    lexicons.get(lists) ?? new Lexicon(asked.sheets[lists] as unknown as Lists);
  lexicons.set(lists, lexicon);
  return lexicon.scan(text, home);
}

const QUESTIONS: ReadonlyMap<string, (one: Case) => unknown> = new Map([
  ["evaluate", (one: Case): unknown => evaluate(one.tree, one.known)],
  ["judge", (one: Case): unknown => judge(sheetOf(one), one.answer)],
  ["complete", complete],
  ["sample", (one: Case): unknown => sample(one.seed, one.label, one.population, one.n)],
  ["absent", (one: Case): unknown => atLeastAbsent(one.roster, one.called, one.absent)],
  ["advert", (one: Case): unknown => advert(one as unknown as Advert)],
  ["codes", (one: Case): unknown => joined(one as unknown as Joined)],
  ["numbers", (one: Case): unknown => numbers(one.seed, one.label, one.size, one.n)],
]);

const ask = QUESTIONS.get(asked.name);
if (ask === undefined) {
  throw new Error(`no question ${asked.name}`);
}
process.stdout.write(JSON.stringify(await Promise.all(asked.cases.map(ask))));

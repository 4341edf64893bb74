/**
 * Typed answers, checked against a sheet and turned into verdicts.
 * Twin of inspection_plans/checklist.py; shared vectors hold both.
 */

import { entry, isAtLeast, isEntries } from "./expression.ts";
import { findItem } from "./sheet.ts";
import type {
  Answer,
  Choice,
  Count,
  Item,
  MultiChoice,
  Part,
  Ratio,
  Sample,
  Sheet,
  Value,
  Verdict,
} from "./sheet.ts";

/** The same codes as the server's refusals; texts hang on them. */
export type Fault =
  | "checklist.unknown_item"
  | "checklist.wrong_answer"
  | "checklist.reason_missing";

export interface Judged {
  readonly item: string;
  readonly verdict: Verdict;
  readonly failed: readonly string[];
}

export type Judgement = Judged | { readonly code: Fault; readonly field: string };

interface Outcome {
  readonly verdict: Verdict | null;
  readonly failed: readonly string[];
  readonly reasonNeeded: boolean;
}

/** Thrown inside this module only; judge() turns it into a value. */
class WrongValue extends Error {
  readonly field: string;

  constructor(field: string) {
    super(field);
    this.field = field;
  }
}

const MOST = 10 ** 12;
const LARGEST = 100_000;
const LONGEST = 2000;
const ANY_LAT = 900_000_000;
const ANY_LON = 1_800_000_000;
const DATUMS: readonly unknown[] = ["wgs84", "gcj02", "bd09", "?"];

const PASS: Outcome = { verdict: "pass", failed: [], reasonNeeded: false };
const SILENT: Outcome = { verdict: null, failed: [], reasonNeeded: false };
const QUESTION: Outcome = { verdict: "could_not_check", failed: [], reasonNeeded: true };

/** Check one answer and derive its verdict, or say what is wrong with it and where. */
export function judge(sheet: Sheet, answer: Answer): Judgement {
  const item = findItem(sheet, answer.item);
  if (item === undefined) {
    return { code: "checklist.unknown_item", field: "item" };
  }
  try {
    const outcome = skippedOrJudged(item, answer);
    if (outcome.reasonNeeded && (answer.reason ?? "").trim() === "") {
      return { code: "checklist.reason_missing", field: item.code };
    }
    return { item: item.code, verdict: outcome.verdict ?? "pass", failed: outcome.failed };
  } catch (wrong) {
    if (wrong instanceof WrongValue) {
      return { code: "checklist.wrong_answer", field: wrong.field };
    }
    throw wrong;
  }
}

export function isJudged(found: Judgement): found is Judged {
  return !("code" in found);
}

function skippedOrJudged(item: Item, answer: Answer): Outcome {
  const { value = null, skip = null } = answer;
  if (value !== null && skip === null) {
    return outcomeOf(item, value);
  }
  if (value === null && skip !== null) {
    return { verdict: skip, failed: [], reasonNeeded: true };
  }
  throw new WrongValue(item.code);
}

function outcomeOf(item: Item, value: Value): Outcome {
  if (!hasKeys(value, item.answer.map((part) => part.name))) {
    throw new WrongValue(item.code);
  }
  const parts = item.answer.map((part) => partOutcome(item, part, entry(value, part.name)));
  const verdicts = parts.map((part) => part.verdict).filter((verdict) => verdict !== null);
  // A breach is a breach whatever else stayed open, and speaks for itself.
  if (verdicts.includes("fail")) {
    const failed = parts.flatMap((part) => part.failed);
    return { verdict: "fail", failed, reasonNeeded: false };
  }
  if (verdicts.includes("could_not_check")) {
    return QUESTION;
  }
  if (verdicts.length > 0 && verdicts.every((verdict) => verdict === "not_applicable")) {
    return { verdict: "not_applicable", failed: [], reasonNeeded: true };
  }
  return { ...PASS, reasonNeeded: parts.some((part) => part.reasonNeeded) };
}

function partOutcome(item: Item, part: Part, value: unknown): Outcome {
  const where = `${item.code}.${part.name}`;
  switch (part.type) {
    case "yes_no_na":
      return yesNo(where, part.name, value);
    case "choice":
      return choice(where, part, value);
    case "multi_choice":
      return multiChoice(where, part, value);
    case "count":
      return count(where, part, value);
    case "ratio":
      return ratio(where, part, value);
    case "sample":
      return sample(where, part, value);
    case "scale":
      integer(where, value, part.lowest, part.highest);
      return SILENT;
    case "location":
      location(where, value);
      return SILENT;
    case "text":
      text(where, value);
      return SILENT;
  }
}

function failing(...failed: readonly string[]): Outcome {
  return { verdict: "fail", failed, reasonNeeded: false };
}

function hasKeys(found: unknown, keys: readonly string[]): found is Value {
  return (
    isEntries(found) &&
    Object.keys(found).length === keys.length &&
    keys.every((key) => Object.hasOwn(found, key))
  );
}

function entries(where: string, value: unknown, keys: readonly string[]): Value {
  if (!hasKeys(value, keys)) {
    throw new WrongValue(where);
  }
  return value;
}

function integer(where: string, value: unknown, least = 0, most = MOST): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new WrongValue(where);
  }
  return value;
}

function text(where: string, value: unknown): void {
  // Code points, as the server counts them: a rare character is not two.
  if (typeof value !== "string" || [...value].length > LONGEST) {
    throw new WrongValue(where);
  }
}

function yesNo(where: string, name: string, value: unknown): Outcome {
  switch (value) {
    case "yes":
      return PASS;
    case "no":
      return failing(name);
    case "na":
      return { verdict: "not_applicable", failed: [], reasonNeeded: true };
    default:
      throw new WrongValue(where);
  }
}

function choice(where: string, part: Choice, value: unknown): Outcome {
  const option = part.options.find((one) => one.code === value);
  if (option === undefined) {
    throw new WrongValue(where);
  }
  if (option.mark === "fail") {
    return failing(`${part.name}:${option.code}`);
  }
  return option.mark === "question" ? QUESTION : PASS;
}

function multiChoice(where: string, part: MultiChoice, value: unknown): Outcome {
  const marks = new Map(part.options.map((option) => [option.code, option.mark]));
  const ticked = Array.isArray(value)
    ? value.filter((one): one is string => typeof one === "string" && marks.has(one))
    : [];
  if (!Array.isArray(value) || new Set(ticked).size !== value.length) {
    throw new WrongValue(where);
  }
  if (part.rule === "all_of") {
    const left = [...marks]
      .filter(([code, mark]) => mark === "required" && !ticked.includes(code))
      .map(([code]) => `${part.name}:${code}`);
    return left.length > 0 ? failing(...left) : PASS;
  }
  // Nothing ticked could mean forgotten, and "none" beside a find is a contradiction.
  const isClean = ticked.some((code) => marks.get(code) === "pass");
  if (ticked.length === 0 || (isClean && ticked.length > 1)) {
    throw new WrongValue(where);
  }
  const found = ticked.filter((code) => marks.get(code) === "fail");
  return found.length > 0 ? failing(...found.map((code) => `${part.name}:${code}`)) : PASS;
}

function count(where: string, part: Count, value: unknown): Outcome {
  const numbers = entries(where, value, part.fields.map((field) => field.name));
  const counted = new Map(
    part.fields.map((field) => [
      field.name,
      integer(`${where}.${field.name}`, numbers[field.name]),
    ]),
  );
  const of = (name: string): number => counted.get(name) ?? 0;
  const atMost = part.at_most ?? [];
  const low = part.fields.filter((field) => of(field.name) < (field.min ?? 0));
  const over = atMost.filter(([one, other]) => of(one) > of(other));
  if (low.length > 0 || over.length > 0) {
    const names = [...low.map((field) => field.name), ...over.map(([one]) => one)];
    return failing(...names.map((name) => `${part.name}:${name}`));
  }
  const isJudgedAtAll = atMost.length > 0 || part.fields.some((field) => (field.min ?? 0) > 0);
  return isJudgedAtAll ? PASS : SILENT;
}

function ratio(where: string, part: Ratio, value: unknown): Outcome {
  const numbers = entries(where, value, ["numerator", "denominator"]);
  const over = integer(`${where}.numerator`, numbers["numerator"]);
  const under = integer(`${where}.denominator`, numbers["denominator"]);
  const least = part.min ?? null;
  if (least === null) {
    return SILENT;
  }
  if (under === 0) {
    return QUESTION;
  }
  return isAtLeast(over, under, least) ? PASS : failing(part.name);
}

function sample(where: string, part: Sample, value: unknown): Outcome {
  const numbers = entries(where, value, ["population", "checked", "failed"]);
  // Of three there are no five to check: all three are the whole sample then.
  const there = integer(`${where}.population`, numbers["population"], 0, LARGEST);
  const wanted = Math.min(part.n, there);
  const checked = integer(`${where}.checked`, numbers["checked"], 0, wanted);
  if (integer(`${where}.failed`, numbers["failed"], 0, checked) > 0) {
    return failing(part.name);
  }
  return checked === 0 ? QUESTION : { ...PASS, reasonNeeded: checked < wanted };
}

function location(where: string, value: unknown): void {
  const place = entries(where, value, ["lat", "lon", "acc_cm", "crs"]);
  integer(`${where}.lat`, place["lat"], -ANY_LAT, ANY_LAT);
  integer(`${where}.lon`, place["lon"], -ANY_LON, ANY_LON);
  integer(`${where}.acc_cm`, place["acc_cm"]);
  if (!DATUMS.includes(place["crs"])) {
    throw new WrongValue(`${where}.crs`);
  }
}

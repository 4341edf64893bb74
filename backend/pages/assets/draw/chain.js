/** What the log alone must show: the chain, its times, the year's draws (draw.md section 9). */

import { compare, hex, join, pad32 } from "./bytes.js";
import { canonicalBytes } from "./canon.js";
import { isDay } from "./days.js";
import { hashOf } from "./digest.js";
import { finding } from "./findings.js";
import { listOf, need, objectOf, text, textOf, Unreadable, wholeOf } from "./shape.js";

const FIRST_PREV = "0".repeat(64);
const PRINTED = 16;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;
const ENTRY = ["body", "hash", "prev", "seq", "time", "type"];

/** What the body of each type of entry holds at least. */
const TYPES = new Map([
  ["plan_year", ["year", "draws"]],
  ["attempt_open", ["draw", "attempt", "stage"]],
  ["plan", ["draw", "attempt", "digest"]],
  [
    "freeze",
    ["draw", "attempt", "objects", "inspectors", "blocked", "parties", "entropy"],
  ],
  ["commit", ["draw", "attempt", "party", "commitment"]],
  ["entropy", ["draw", "attempt", "source", "ref", "value"]],
  ["reveal", ["draw", "attempt", "party", "digest", "countersigned"]],
  ["result", ["draw", "attempt", "status"]],
  ["void", ["draw", "attempt", "party", "reason"]],
  ["withdraw", ["draw", "object", "reason", "evidence", "by", "second"]],
  ["replace", ["draw", "stratum", "object", "withdrawn"]],
  ["substitute", ["draw", "visit", "place", "event", "released", "inspector"]],
  ["supplement", ["draw", "inspectors", "blocked"]],
  ["sealed", ["draw", "number", "kind", "digest"]],
  ["disclose", ["draw", "attempt"]],
  ["opening", ["draw", "attempt", "party", "value"]],
]);

/** The hash of an entry without its own `hash`, in hexadecimal. */
function entryHash(alg, entry) {
  const rest = Object.assign(Object.create(null), entry);
  delete rest.hash;
  return hex(hashOf(alg).digest(join(pad32("ssj1.log"), canonicalBytes(rest))));
}

function* checkEntry(alg, entry, seq, before) {
  if (Object.keys(entry).sort().join() !== ENTRY.join()) yield finding("chain.fields", { seq });
  const number = need(entry, "seq");
  if (number !== seq) yield finding("chain.number", { seq, found: number });
  if (need(entry, "prev") !== before.hash) yield finding("chain.link", { seq });
  if (entryHash(alg, entry) !== need(entry, "hash")) yield finding("chain.hash", { seq });
  const time = textOf(entry, "time");
  if (!TIME.test(time) || time < before.time) yield finding("chain.time", { seq });
  const type = need(entry, "type");
  const body = objectOf(entry, "body");
  const missing = (TYPES.get(type) ?? ["type"]).filter((key) => !(key in body));
  if (missing.length > 0) yield finding("chain.body", { seq, type, missing });
}

/** Every broken link, wrong number, unknown type, missing key and backward time. */
export function* checkChain(alg, log) {
  if (log.length === 0) yield finding("chain.empty");
  let before = { hash: FIRST_PREV, time: "" };
  for (const [seq, entry] of log.entries()) {
    yield* checkEntry(alg, entry, seq, before);
    before = { hash: entry.hash, time: entry.time };
  }
}

/** Every head, printed or kept by a witness, that the log does not contain. */
export function* checkHeads(log, heads) {
  for (const head of heads) {
    const known = log.some((entry) => textOf(entry, "hash").startsWith(head));
    if (head.length < PRINTED || !known) yield finding("heads.missing", { head });
  }
}

/** The entries of a type, of one draw or of all, in order. */
export function entries(log, type, draw = null) {
  const ofType = log.filter((entry) => need(entry, "type") === type);
  return draw === null ? ofType : ofType.filter(({ body }) => need(body, "draw") === draw);
}

function announcedDraws(log) {
  return entries(log, "plan_year").flatMap((entry) => {
    return listOf(entry.body, "draws").map((item) => ({ seq: wholeOf(entry, "seq"), item }));
  });
}

function* checkNames(log, draw, planned) {
  const begun = new Map();
  for (const { seq, body } of entries(log, "attempt_open")) {
    const name = need(body, "draw");
    if (!begun.has(name)) begun.set(name, seq);
  }
  const announced = new Map();
  for (const { seq, item } of planned) {
    const name = need(item, "draw");
    if (!announced.has(name)) announced.set(name, seq);
    if (announced.get(name) !== seq) yield finding("year.twice");
  }
  for (const name of new Set([draw, ...begun.keys()])) {
    const at = announced.get(name);
    if (at === undefined) yield finding("year.unannounced", { draw: name });
    else if (at > (begun.get(name) ?? log.length)) yield finding("year.late", { draw: name });
  }
  if (announced.size !== planned.length) yield finding("year.twice");
}

function* checkNumbers(planned) {
  const numbers = planned.filter(({ item }) => "number" in item).map(({ item }) => item.number);
  const right = numbers.length === planned.length && numbers.every((one, at) => one === at + 1);
  if (numbers.length > 0 && !right) yield finding("year.numbers", { numbers });
}

function* checkDue(log, planned) {
  const today = text(need(log.at(-1), "time")).slice(0, 10);
  for (const { item } of planned) {
    const due = need(item, "due");
    if (!isDay(due)) throw new Unreadable("due");
    const name = need(item, "draw");
    const late = due < today && entries(log, "result", name).length === 0;
    if (late) yield finding("year.overdue", { draw: name, due });
  }
}

// One plan under two names would be two results to choose from.
function* checkPlans(log) {
  const owners = new Map();
  for (const { body } of entries(log, "plan")) {
    const digest = need(body, "digest");
    if (!owners.has(digest)) owners.set(digest, new Set());
    const name = need(body, "draw");
    owners.get(digest).add(name === null ? name : text(name));
  }
  for (const draws of owners.values()) {
    if (draws.size < 2) continue;
    const names = [...draws].map((name) => text(name)).sort(compare);
    yield finding("year.same_plan", { draws: names });
  }
}

/** Draws unannounced, omitted, misnumbered, without result, or drawing one plan twice. */
export function* checkYear(log, draw) {
  const planned = announcedDraws(log);
  yield* checkNames(log, draw, planned);
  yield* checkNumbers(planned);
  yield* checkDue(log, planned);
  yield* checkPlans(log);
}

/** Order, parties and secrets of the attempts (draw.md sections 3 and 9). */

import { hex } from "./bytes.js";
import { canonical } from "./canon.js";
import { SOURCES } from "./attempt.js";
import { hashOf } from "./digest.js";
import { finding } from "./findings.js";
import { commitment } from "./seed.js";
import { isObject, list, listOf, maybe, need, textOf, Unreadable } from "./shape.js";
import { bytes32 } from "./tickets.js";

const DICE = 20;
const WITNESSES = 2;
const DIGITS = /^[0-9]*$/;
const CHAINS = [
  ["attempt_open", "plan", "freeze", "entropy", "reveal", "result", "opening"],
  ["attempt_open", "commit", "entropy", "reveal", "result", "disclose"],
];

function same(left, right) {
  return left.length === right.length && left.every((one, at) => one === right[at]);
}

function* ordered(attempt) {
  const { number } = attempt;
  for (const type of ["plan", "freeze"]) {
    const count = attempt.all(type).length;
    if (count !== 1) yield finding("attempts.single", { attempt: number, count, type });
  }
  for (const chain of CHAINS) {
    const present = chain.filter((type) => attempt.all(type).length > 0);
    const seqs = present.map((type) => attempt.all(type).map(({ seq }) => seq));
    for (let at = 0; at + 1 < present.length; at += 1) {
      if (Math.max(...seqs[at]) <= Math.min(...seqs[at + 1])) continue;
      const [first, then] = [present[at], present[at + 1]];
      yield finding("attempts.order", { attempt: number, first, then });
    }
  }
}

function* ended(attempt, last) {
  const ends = [...attempt.all("result"), ...attempt.all("void")];
  const facts = { attempt: attempt.number };
  if (ends.length !== 1) yield finding("attempts.ends", { ...facts, count: ends.length });
  else if (ends[0].seq > last) yield finding("attempts.overlap", facts);
  if (attempt.all("void").length === 0) return;
  if (same(attempt.parties("reveal"), attempt.frozenParties())) {
    yield finding("attempts.red", facts);
  }
}

function* secrets(alg, attempt) {
  const facts = { attempt: attempt.number };
  const parties = attempt.frozenParties();
  const distinct = new Set(parties);
  if (distinct.size === 0 || distinct.size !== parties.length) {
    yield finding("attempts.no_party", facts);
  }
  for (const type of attempt.result ? ["commit", "reveal", "opening"] : ["commit"]) {
    if (!same(attempt.parties(type), parties)) {
      yield finding("attempts.parties", { ...facts, type });
    }
  }
  if (attempt.parties("reveal").some((party) => !distinct.has(party))) {
    yield finding("attempts.stranger", facts);
  }
  yield* opened(alg, attempt);
}

function noted(attempt, type, key) {
  return new Map(attempt.bodies(type).map((body) => [need(body, "party"), need(body, key)]));
}

function* opened(alg, attempt) {
  const commits = noted(attempt, "commit", "commitment");
  const reveals = noted(attempt, "reveal", "digest");
  for (const body of attempt.bodies("opening")) {
    const [party, secret] = [need(body, "party"), need(body, "value")];
    const facts = { attempt: attempt.number, party };
    const bound = { draw: attempt.draw, attempt: attempt.number, party, secret };
    if (commits.get(party) !== commitment(alg, bound)) {
      yield finding("attempts.commitment", facts);
    }
    if (reveals.get(party) !== hex(hashOf(alg).digest(bytes32(secret)))) {
      yield finding("attempts.revealed", facts);
    }
  }
}

function named(items) {
  return items.map((item) => canonical([textOf(item, "source"), textOf(item, "ref")])).sort();
}

function* sources(attempt) {
  const facts = { attempt: attempt.number };
  const announced = named(listOf(attempt.freeze, "entropy"));
  const used = named(attempt.entropy());
  const twice = new Set(announced).size !== announced.length;
  if (twice || (attempt.result && !same(announced, used))) {
    yield finding("attempts.entropy", facts);
  }
  for (const body of attempt.bodies("entropy")) {
    const { source } = body;
    if (!SOURCES.includes(source)) yield finding("attempts.source", { ...facts, source });
    if (source === "dice") yield* dice(body, facts);
  }
}

function* dice(body, facts) {
  const digits = textOf(body, "value");
  if (digits.length < DICE || !DIGITS.test(digits)) {
    yield finding("attempts.dice", { ...facts, least: DICE });
  }
  const seen = new Set(list(maybe(body, "witnesses", [])));
  if (seen.size < WITNESSES) yield finding("attempts.witnesses", facts);
}

/** draw.md section 3.5: a new attempt keeps plan and frames and goes without the party named. */
function* again(before, after) {
  const facts = { attempt: after.number };
  const plans = [before, after].map((one) => need(one.bodies("plan")[0], "digest"));
  if (plans[0] !== plans[1]) yield finding("attempts.other_plan", facts);
  const whole = ["objects", "inspectors", "blocked"];
  for (const frame of after.stage === "assignment" ? ["objects"] : whole) {
    const [first, second] = [before, after].map((one) => canonical(need(one.freeze, frame)));
    if (first !== second) yield finding("attempts.other_frame", { ...facts, frame });
  }
  const admitted = after.frozenParties();
  for (const body of before.bodies("void")) {
    for (const party of new Set([need(body, "party"), ...list(maybe(body, "missing", []))])) {
      if (admitted.includes(party)) yield finding("attempts.admitted", { ...facts, party });
    }
  }
}

/** At most one result for the plan; the sending alone may be tried anew when it failed. */
function* stages(tries) {
  let status = null;
  for (const { number, stage, result } of tries) {
    if (stage !== (status === null ? "draw" : "assignment")) {
      yield finding("attempts.second", { attempt: number, stage });
    }
    if (status === "complete") yield finding("attempts.needless", { attempt: number });
    if (result) status = need(result, "status");
  }
  if (status === null) yield finding("attempts.no_result");
}

function* stray(log, tries, numbers) {
  for (const { seq, body } of log) {
    if (!isObject(body)) throw new Unreadable("body");
    const mine = tries.length > 0 && body.draw === tries[0].draw;
    const known = !mine || numbers.includes(maybe(body, "attempt", 1));
    if (!known) yield finding("attempts.stray", { seq });
  }
}

/** Everything in the log of one draw that breaks its rules. */
export function* checkAttempts(alg, log, tries) {
  const numbers = tries.map(({ number }) => number);
  if (numbers.some((number, at) => number !== at + 1)) {
    yield finding("attempts.numbers", { numbers });
  }
  yield* stray(log, tries, numbers);
  for (const [at, attempt] of tries.entries()) {
    const next = at + 1 < tries.length ? tries[at + 1].all("attempt_open")[0].seq : log.length;
    yield* ended(attempt, next);
    yield* ordered(attempt);
    yield* secrets(alg, attempt);
    yield* sources(attempt);
  }
  for (let at = 1; at < tries.length; at += 1) yield* again(tries[at - 1], tries[at]);
  yield* stages(tries);
}

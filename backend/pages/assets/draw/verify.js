/**
 * Replays a public record, frames to teams, and tells what does not hold (draw.md section 9).
 * Nothing in a record is trusted: one of the wrong shape fails a check and never ends the run.
 */

import { attemptsOf, LEVELS } from "./attempt.js";
import { compare } from "./bytes.js";
import { canonical } from "./canon.js";
import { checkAttempts } from "./ceremony.js";
import { checkChain, checkHeads, checkYear, entries } from "./chain.js";
import { hashOf } from "./digest.js";
import { checkExclusions, checkOpenings, checkPersons } from "./disclosed.js";
import { DrawError } from "./errors.js";
import {
  checkReturned,
  checkSubstitutes,
  checkSupplements,
  checkWithdrawals,
  Replacements,
} from "./events.js";
import { finding } from "./findings.js";
import { frameRoot } from "./merkle.js";
import { daysOf, sealed, sealedSeed, sendTo, written } from "./outcome.js";
import { checkSealed } from "./sealing.js";
import { digestOf } from "./seed.js";
import { selectWithTotals } from "./select.js";
import { found, isObject, need, textOf, Unreadable } from "./shape.js";
import { checkKeys, Heads } from "./signatures.js";
import { bytes32 } from "./tickets.js";
import { checkTotals, fate } from "./totals.js";

const TEXT = (value) => typeof value === "string";
const BASE = { profile: TEXT, alg: TEXT, draw: TEXT, plan: isObject, log: Array.isArray };
const PROFILES = new Map([
  [
    "full",
    {
      objects: Array.isArray,
      inspectors: Array.isArray,
      blocked: Array.isArray,
      keys: isObject,
      selection: Array.isArray,
      assignment: isObject,
      days: isObject,
    },
  ],
  ["sealed", { totals: Array.isArray }],
  ["external", { visits: Array.isArray }],
]);
const ALWAYS = ["note.beacon", "note.independent", "note.facts", "note.times"];
// What the engine's own code raises over values of another kind than it expects.
const BROKEN = [Unreadable, DrawError, TypeError, RangeError, SyntaxError];

function isBroken(fault) {
  return BROKEN.some((kind) => fault instanceof kind);
}

function run(check, findings) {
  const failures = [];
  try {
    for (const one of findings()) failures.push(one);
  } catch (fault) {
    if (!isBroken(fault)) throw fault;
    failures.push(finding(`${check}.unreadable`, { why: fault.message }));
  }
  return failures;
}

function* checkShape(record) {
  const { profile } = record;
  const fields = { ...BASE, countersigns: Array.isArray, ...PROFILES.get(profile) };
  if (!PROFILES.has(profile)) yield finding("shape.field", { field: "profile" });
  for (const [field, fits] of Object.entries(fields)) {
    if (!fits(record[field])) yield finding("shape.field", { field });
  }
  for (const field of Object.keys(record)) {
    const openings = field === "openings" && profile !== "external";
    if (!(field in fields) && !openings) yield finding("shape.extra", { field });
  }
  if ("openings" in record && !Array.isArray(record.openings)) {
    yield finding("shape.field", { field: "openings" });
  }
  const named = profile === "full" && isObject(record.keys) ? Object.keys(record.keys) : null;
  if (named !== null && named.sort().join() !== "inspectors,objects") {
    yield finding("shape.field", { field: "keys" });
  }
  hashOf(record.alg);
}

/** A record whose chain was read: its attempts, and the checks that replay it. */
class Replay {
  constructor(record) {
    this.record = record;
    this.alg = record.alg;
    this.plan = record.plan;
    this.tries = attemptsOf(record.log, record.draw);
    this.done = this.tries.filter(({ result }) => result !== null);
    this.heads = new Heads(record, this.tries);
  }

  get first() {
    return found(this.done[0], "result");
  }

  get last() {
    return found(this.done.at(-1), "result");
  }

  level() {
    try {
      const levels = this.done.map((attempt) => LEVELS.indexOf(attempt.level()));
      return levels.length === 0 ? null : LEVELS[Math.max(...levels)];
    } catch (fault) {
      if (!isBroken(fault)) throw fault;
      return null;
    }
  }

  *checkPlan() {
    const right = digestOf(this.alg, this.plan);
    for (const attempt of this.tries) {
      const other = attempt.bodies("plan").some((body) => need(body, "digest") !== right);
      if (other) yield finding("plan.digest", { attempt: attempt.number });
    }
  }

  *checkLevel() {
    const reason = this.plan.level_d_accepted;
    if (this.level() === "D" && !(TEXT(reason) && reason !== "")) yield finding("level.reason");
  }

  *checkFrames() {
    if (this.done.length === 0) return;
    const { record, alg } = this;
    for (const [frame, attempt] of [["objects", this.first], ["inspectors", this.last]]) {
      const ids = record[frame].map((row) => textOf(row, "id"));
      const inOrder = ids.every((id, at) => at === 0 || compare(ids[at - 1], id) <= 0);
      if (!inOrder) yield finding("frames.rows", { frame });
      const root = frameRoot(alg, bytes32(record.keys[frame]), record[frame]);
      const right = canonical({ root, count: record[frame].length });
      const frozen = canonical(need(attempt.freeze, frame));
      if (right !== frozen) yield finding("frames.root", { frame });
    }
    const { blocked } = record;
    const sorted = [...blocked].sort(([p, v], [q, w]) => compare(p, q) || compare(v, w));
    if (canonical(sorted) !== canonical(blocked)) yield finding("frames.order");
    if (digestOf(alg, blocked) !== need(this.last.freeze, "blocked")) {
      yield finding("frames.blocked");
    }
  }

  *checkResult() {
    if (this.done.length === 0) {
      yield finding("result.none");
      return;
    }
    const { alg, plan, record } = this;
    const [first, last] = [this.first.seed(alg, plan), this.last.seed(alg, plan)];
    const { selection, totals } = selectWithTotals(alg, first, plan, record.objects);
    const right = {
      selection,
      assignment: sendTo(alg, last, record, selection),
      days: daysOf(alg, first, record, selection),
    };
    const stated = written(record);
    for (const [part, value] of Object.entries(written(right))) {
      if (canonical(value) !== canonical(stated[part])) yield finding("result.other", { part });
    }
    for (const [part, value] of Object.entries(sealed(alg, last, right))) {
      if (need(this.last.result, part) !== value) yield finding("result.noted", { part });
    }
    const again = sealed(alg, first, { ...right, totals });
    const kept = ["seed", "selection", "totals", "days"];
    if (kept.some((name) => need(this.first.result, name) !== again[name])) {
      yield finding("result.first");
    }
  }

  *checkSealedDigest() {
    for (const attempt of this.done) {
      const seed = attempt.seed(this.alg, this.plan);
      if (need(attempt.result, "seed") !== sealedSeed(this.alg, seed)) {
        yield finding("result.noted", { part: "seed" });
      }
    }
  }

  /** A draw made elsewhere: one entry, and the visits that were entered. */
  *checkExternal() {
    const { log, draw, visits } = this.record;
    const stages = entries(log, "attempt_open", draw).map(({ body }) => need(body, "stage"));
    const results = entries(log, "result", draw);
    if (stages.length !== 1 || stages[0] !== "external" || results.length !== 1) {
      yield finding("external.form");
      return;
    }
    const body = this.first.result;
    const named = ["platform", "reference", "drawn_on"].every((name) => body[name]);
    if (need(body, "status") !== "external" || !named) yield finding("external.form");
    if (need(body, "visits") !== digestOf(this.alg, visits)) yield finding("external.visits");
    // Nobody's key is frozen for it: a signature can only be looked at, not checked.
    const heads = new Set(log.map(({ hash }) => hash));
    for (const item of this.record.countersigns) {
      const party = need(item, "party");
      if (!heads.has(need(item, "head"))) yield finding("signatures.head", { party });
    }
  }

  *checkReserves() {
    const seed = this.first.seed(this.alg, this.plan);
    yield* new Replacements(this.record, this.first, seed).check();
  }

  *checkSubstitutes() {
    yield* checkSubstitutes(this.record, this.last.seed(this.alg, this.plan));
  }

  /** What became of each object row opened alone, for the sealed profile. */
  standings() {
    const { profile, totals, openings = [] } = this.record;
    if (profile !== "sealed") return {};
    const seed = this.first.seed(this.alg, this.plan);
    const rows = openings.filter(({ frame }) => frame === "objects").map(({ row }) => row);
    return Object.fromEntries(rows.map((row) => [row.id, fate(this.alg, seed, totals, row)]));
  }

  *notes(heads) {
    for (const code of ALWAYS) yield finding(code);
    if (heads.length === 0) yield finding("note.head");
    const { profile } = this.record;
    if (profile === "external") {
      yield finding("note.external", { platform: this.first.result.platform });
      return;
    }
    yield* this.heads.notes();
    if (profile === "sealed") yield finding("note.rows");
    else if (this.done.length > 1) yield finding("note.teams");
    if (!("withdrawal_limit" in this.plan)) yield finding("note.limit");
  }

  /** [name, check] in the order of a report. */
  checks(heads, keys) {
    const { record, tries } = this;
    const { log, draw, alg } = record;
    const always = [["year", () => checkYear(log, draw)]];
    if (heads.length > 0) always.push(["heads", () => checkHeads(log, heads)]);
    if (record.profile === "external") {
      const plan = ["plan", () => this.checkPlan()];
      return [...always, plan, ["external", () => this.checkExternal()]];
    }
    const ceremony = [
      ["signatures", () => this.signatures(keys)],
      ...always,
      ["attempts", () => checkAttempts(alg, log, tries)],
      ["plan", () => this.checkPlan()],
      ["level", () => this.checkLevel()],
    ];
    const told = [
      ["exclusions", () => checkExclusions(record, this.first)],
      ["openings", () => checkOpenings(record, this.done)],
    ];
    if (record.profile === "sealed") {
      const totals = ["totals", () => checkTotals(record, this.first)];
      return [...ceremony, ["result", () => this.checkSealedDigest()], ...told, totals];
    }
    return [
      ...ceremony,
      ["frames", () => this.checkFrames()],
      ["result", () => this.checkResult()],
      ...told,
      ["sealed", () => checkSealed(record)],
      ["withdrawals", () => checkWithdrawals(record)],
      ["returned", () => checkReturned(record)],
      ["reserves", () => this.checkReserves()],
      ["supplements", () => checkSupplements(record, this.done)],
      ["substitutes", () => this.checkSubstitutes()],
      ["persons", () => checkPersons(record)],
    ];
  }

  signatures(keys) {
    return [...checkKeys(this.tries, keys), ...this.heads.check()];
  }
}

function failed(failures, checks, level = null) {
  const notes = ALWAYS.map((code) => finding(code));
  return { verdict: "failed", level, failures, notes, checks, standings: {} };
}

function opened(record) {
  try {
    return { replay: new Replay(record) };
  } catch (fault) {
    if (!isBroken(fault)) throw fault;
    return { why: finding("attempts.unreadable", { why: fault.message }) };
  }
}

/**
 * {verdict: verified, failed or unverifiable; level A–D or null; failures, notes: [{code, facts}];
 * checks: name → ok or bad, in order; standings: opened row → what became of it}.
 * `heads` are log heads as witnesses hold them or as printed (16 digits), `keys` party → public
 * key as known from elsewhere, `progress` is told the name of each check before it begins.
 */
export function verify(record, { heads = [], keys = {}, progress = () => {} } = {}) {
  progress("shape");
  const failures = run("shape", () => checkShape(record));
  const checks = { shape: failures.length > 0 ? "bad" : "ok" };
  if (failures.length > 0) return failed(failures, checks);
  progress("chain");
  failures.push(...run("chain", () => checkChain(record.alg, record.log)));
  checks.chain = failures.length > 0 ? "bad" : "ok";
  const { replay, why } = opened(record);
  if (replay === undefined) return failed([...failures, why], { ...checks, attempts: "bad" });
  for (const [name, findings] of replay.checks(heads, keys)) {
    progress(name);
    const bad = run(name, findings);
    checks[name] = bad.length > 0 ? "bad" : "ok";
    failures.push(...bad);
  }
  if (failures.length > 0) return failed(failures, checks, replay.level());
  return {
    verdict: record.profile === "external" ? "unverifiable" : "verified",
    level: replay.level(),
    failures,
    notes: [...replay.notes(heads)],
    checks,
    standings: replay.standings(),
  };
}

/** The report in codes alone, as `verify_draw.py --json` prints it. */
export function coded({ verdict, level, checks, failures, notes, standings }) {
  const codes = (findings) => findings.map(({ code }) => code);
  return { verdict, level, checks, failures: codes(failures), notes: codes(notes), standings };
}

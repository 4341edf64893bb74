/** What happened after the draw: withdrawals, reserves, substitutes (draw.md section 8). */

import { canonical } from "./canon.js";
import { entries } from "./chain.js";
import { Crew } from "./crew.js";
import { finding } from "./findings.js";
import { drawnIn } from "./outcome.js";
import {
  nextHiddenReserve,
  nextLink,
  nextReserve,
  nextSession,
  REASONS,
  SESSION_REASONS,
  substitute,
} from "./replace.js";
import { happened } from "./sealing.js";
import { found, listOf, maybe, need, Unreadable, wholeOf } from "./shape.js";

function* withdrawal(body, reasons) {
  const gone = need(body, "object");
  const reason = need(body, "reason");
  if (!reasons.includes(reason)) yield finding("withdrawals.reason", { object: gone, reason });
  const [by, second] = [need(body, "by"), need(body, "second")];
  if (!by || !second || by === second) yield finding("withdrawals.second", { object: gone });
  if (!need(body, "evidence")) yield finding("withdrawals.evidence", { object: gone });
}

/** Withdrawals without listed reason, second person or evidence, or beyond the limit. */
export function* checkWithdrawals({ log: whole, draw, plan, objects, selection }) {
  const log = happened(whole, draw);
  const present = new Set(drawnIn(selection));
  for (const { body } of entries(log, "replace", draw)) present.add(need(body, "object"));
  const classes = new Set(objects.filter((row) => "class" in row).map(({ id }) => id));
  const seen = new Set();
  let free = 0;
  for (const { body } of entries(log, "withdraw", draw)) {
    const gone = need(body, "object");
    if (!present.has(gone) || seen.has(gone)) {
      yield finding("withdrawals.not_drawn", { object: gone });
    }
    seen.add(gone);
    // Nobody chooses that a filed session does not take place.
    if (SESSION_REASONS.includes(need(body, "reason"))) free += 1;
    yield* withdrawal(body, classes.has(gone) ? [...REASONS, ...SESSION_REASONS] : REASONS);
  }
  const limit = maybe(plan, "withdrawal_limit");
  if (limit === null) return;
  if (!Number.isInteger(limit)) throw new Unreadable("withdrawal_limit");
  const count = seen.size - free;
  if (count > limit) yield finding("withdrawals.too_many", { count, limit });
}

/**
 * Who was withdrawn from the draw before, is in this frame and need not be drawn.  One excluded
 * by rule cannot be: it may be closed by now.  An exclusion by hand is no rule.
 */
export function* checkReturned({ log, draw, objects }) {
  const order = [...new Set(entries(log, "result").map(({ body }) => need(body, "draw")))];
  const at = order.indexOf(draw);
  if (at < 1) return;
  const before = order[at - 1];
  const start = found(entries(log, "freeze", draw)[0], "freeze").seq;
  const due = new Set();
  for (const { seq, body } of entries(happened(log, before), "withdraw", before)) {
    const stays = seq < start && !SESSION_REASONS.includes(need(body, "reason"));
    if (stays) due.add(need(body, "object"));
  }
  for (const row of objects) {
    const open = (row.excl ?? null) === null || row.excl === "MANUAL";
    if (due.has(row.id) && !row.must && open) {
      yield finding("returned.missing", { object: row.id, before });
    }
  }
}

/** Follows the log and tells whom each replacement should have named. */
export class Replacements {
  constructor(record, first, seed) {
    this.record = record;
    this.seed = seed;
    this.link = maybe(first.freeze, "replacement_tip");
    this.strata = new Map(record.objects.map(({ id, stratum }) => [id, stratum]));
    this.used = drawnIn(record.selection);
    this.gone = new Map();
  }

  *check() {
    for (const { type, body } of happened(this.record.log, this.record.draw)) {
      if (maybe(body, "draw") !== this.record.draw) continue;
      if (type === "withdraw") this.gone.set(need(body, "object"), need(body, "reason"));
      if (type !== "replace") continue;
      yield* this.one(body);
      this.used.push(need(body, "object"));
    }
  }

  *one(body) {
    const names = ["withdrawn", "stratum", "object"];
    const [away, stratum, object] = names.map((name) => need(body, name));
    const reason = this.gone.get(away);
    this.gone.delete(away);
    if (reason === undefined || found(this.strata.get(away), away) !== stratum) {
      yield finding("reserves.nobody", { object, away });
    }
    if (SESSION_REASONS.includes(reason)) {
      const right = nextSession(this.record.objects, away, this.used);
      if (object !== right) yield finding("reserves.session", { object, away });
      return;
    }
    if (this.link !== null && nextLink(this.record.alg, need(body, "link")) !== this.link) {
      yield finding("reserves.link", { away });
    }
    if (object !== this.next(body)) yield finding("reserves.order", { object });
    if (this.link !== null) this.link = body.link;
  }

  next({ stratum, link }) {
    const { alg, selection } = this.record;
    if (this.link === null) return nextReserve(selection, stratum, this.used);
    const order = { seed: this.seed, link };
    return nextHiddenReserve(alg, order, selection, stratum, this.used);
  }
}

function added(record, before, after) {
  const low = before.all("result")[0].seq;
  const high = found(after.all("freeze")[0], "freeze").seq;
  return entries(happened(record.log, record.draw), "supplement", record.draw)
    .filter(({ seq }) => low < seq && seq < high)
    .flatMap(({ body }) => listOf(body, "inspectors"));
}

/** Frames of inspectors that changed between sendings otherwise than the log says. */
export function* checkSupplements(record, done) {
  const rows = new Map(record.inspectors.map((row) => [need(row, "id"), row]));
  for (let at = 1; at < done.length; at += 1) {
    const [before, after] = [done[at - 1], done[at]];
    const more = added(record, before, after);
    const frames = [before, after].map((one) => need(one.freeze, "inspectors"));
    const same = canonical(frames[0]) === canonical(frames[1]);
    if (!same && more.length === 0) {
      yield finding("supplements.missing", { attempt: after.number });
    }
    const grown = wholeOf(frames[1], "count") - wholeOf(frames[0], "count");
    if (grown !== more.length) {
      yield finding("supplements.count", { found: grown, added: more.length });
    }
    for (const row of at === done.length - 1 ? more : []) {
      const kept = rows.get(need(row, "id")) ?? null;
      if (canonical(row) !== canonical(kept)) {
        yield finding("supplements.rows", { inspector: row.id });
      }
    }
  }
}

/** Substitutions that the seed does not give; their events count from 0. */
export function* checkSubstitutes(record, seed) {
  const crew = new Crew(record);
  let event = 0;
  for (const entry of happened(record.log, record.draw)) {
    const { type, body } = entry;
    if (type === "substitute" && need(body, "draw") === record.draw) {
      const { visit, place, released, inspector } = body;
      const right = substitute(record.alg, seed, crew.now(), { visit, place, event });
      const held = released === right.released && inspector === right.inspector;
      if (need(body, "event") !== event || !held) {
        yield finding("substitutes.other", { event, visit });
      }
      event += 1;
    }
    crew.follow(entry);
  }
}

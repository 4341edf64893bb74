/** What is disclosed beside the replay: exclusions, licences, rows opened alone (section 2). */

import { hex, join, pad32 } from "./bytes.js";
import { canonicalBytes } from "./canon.js";
import { entries } from "./chain.js";
import { Crew } from "./crew.js";
import { hashOf } from "./digest.js";
import { finding } from "./findings.js";
import { checkOpening } from "./merkle.js";
import { readRatio } from "./ratio.js";
import { happened } from "./sealing.js";
import { found, list, maybe, need, objectOf, Unreadable, wholeOf } from "./shape.js";
import { bytes32 } from "./tickets.js";

const EXCLUSIONS = [
  "CAP_REACHED",
  "COOLDOWN",
  "CLOSED",
  "TERM_OVER",
  "CASE_OPEN",
  "MOVED",
  "SCOPE",
  "MANUAL",
];
const OPENING = "count,frame,index,path,row,salt";

function same(left, right) {
  return left.size === right.size && [...left].every(([key, count]) => right.get(key) === count);
}

function* told(objects, freeze, noted) {
  const counts = new Map();
  for (const { excl } of objects) if (excl) counts.set(excl, (counts.get(excl) ?? 0) + 1);
  for (const { id, excl } of objects) {
    const listed = !excl || EXCLUSIONS.includes(excl);
    if (!listed) yield finding("exclusions.reason", { object: id, reason: excl });
  }
  if ("exclusions" in freeze && !same(noted, counts)) yield finding("exclusions.noted");
  return counts;
}

/** Exclusions outside the closed list, miscounted, or too many by hand. */
export function* checkExclusions(record, { freeze }) {
  const items = list(maybe(freeze, "exclusions", []));
  let counts = new Map(items.map((item) => [need(item, "code"), need(item, "count")]));
  if ("objects" in record) counts = yield* told(record.objects, freeze, counts);
  const count = counts.get("MANUAL") ?? 0;
  if (!count) return;
  if (!Number.isInteger(count)) throw new Unreadable("count");
  const ceiling = maybe(record.plan, "manual_limit");
  if (ceiling === null) {
    yield finding("exclusions.no_ceiling", { count });
    return;
  }
  const [top, bottom] = readRatio(ceiling);
  const frame = wholeOf(objectOf(freeze, "objects"), "count");
  const within = BigInt(count) * bottom <= top * BigInt(frame);
  if (!within) yield finding("exclusions.too_many", { count });
}

/** The commitment behind an inspector's pseudonym (draw.md section 2.5). */
function personOf(alg, salt, licence) {
  const named = canonicalBytes({ licence });
  return hex(hashOf(alg).digest(join(pad32("ssj1.person"), bytes32(salt), named)));
}

/** Licences opened of somebody not sent, or other than the frame committed to. */
export function* checkPersons(record) {
  const crew = new Crew(record);
  happened(record.log, record.draw).forEach((entry) => crew.follow(entry));
  const rows = new Map(crew.staff.map((row) => [row.id, row]));
  for (const { body } of entries(record.log, "disclose", record.draw)) {
    for (const one of list(maybe(body, "persons", []))) {
      const inspector = need(one, "id");
      if (!crew.sent.has(inspector)) {
        yield finding("persons.unknown", { inspector });
        continue;
      }
      const right = personOf(record.alg, need(one, "salt"), need(one, "licence"));
      const row = found(rows.get(inspector), inspector);
      if (need(row, "person") !== right) yield finding("persons.proof", { inspector });
    }
  }
}

function opens(alg, proof, frame) {
  const { index, count } = proof;
  const standing = Number.isInteger(index) && count === need(frame, "count");
  return standing && checkOpening(alg, need(frame, "root"), proof);
}

/** Rows opened alone that do not stand in the frozen frame. */
export function* checkOpenings(record, done) {
  const frames = new Map([
    ["objects", need(found(done[0], "result").freeze, "objects")],
    ["inspectors", need(done.at(-1).freeze, "inspectors")],
  ]);
  const order = [];
  for (const proof of list(maybe(record, "openings", []))) {
    if (Object.keys(proof).sort().join() !== OPENING || !frames.has(proof.frame)) {
      yield finding("openings.form");
      continue;
    }
    order.push([proof.frame, proof.index]);
    const row = objectOf(proof, "row");
    if (!opens(record.alg, proof, frames.get(proof.frame))) {
      yield finding("openings.proof", { row: row.id ?? null, frame: proof.frame });
    }
  }
  const inOrder = order.every(([frame, index], at) => {
    if (at === 0) return true;
    const [before, other] = order[at - 1];
    return before < frame || (before === frame && other < index);
  });
  if (!inOrder) yield finding("openings.order");
}

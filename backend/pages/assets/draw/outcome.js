/** From seed and frozen frames to everything drawn: institutions, teams, days. */

import { compare, hex } from "./bytes.js";
import { drawDays } from "./days.js";
import { hashOf } from "./digest.js";
import { digestOf } from "./seed.js";
import { assign } from "./send.js";
import { found, isObject, listOf, need, textOf, Unreadable } from "./shape.js";
import { bytes32 } from "./tickets.js";

/** All drawn ids: by stratum must, certain and random, without reserves. */
export function drawnIn(selection) {
  const names = ["must", "certain", "random"];
  return selection.flatMap((part) => names.flatMap((name) => listOf(part, name)));
}

/** The visits to these objects: size and skills of the stratum's team, else of the plan's. */
export function visitsOf(plan, objects, chosen) {
  const teams = new Map(plan.strata.map((stratum) => [stratum.id, stratum.team]));
  const rows = new Map(objects.map((row) => [row.id, row]));
  return [...new Set(chosen)].map((id) => {
    const row = found(rows.get(id), id);
    if (!teams.has(row.stratum)) throw new Unreadable("stratum");
    const visit = { id, ...(teams.get(row.stratum) ?? plan.team ?? {}) };
    for (const key of ["area", "days"]) {
      if (row[key] !== undefined && row[key] !== null) visit[key] = row[key];
    }
    if (!("days" in visit) && plan.days) visit.days = plan.days;
    return visit;
  });
}

/** Of the frame-wide pairs those that concern the visits. */
export function blocksOf(blocked, visits) {
  const present = new Set(visits.map(({ id }) => id));
  return blocked.filter(([, target]) => present.has(target));
}

/** Teams for what was selected. */
export function sendTo(alg, seed, record, selection) {
  const { plan, objects, inspectors, blocked } = record;
  const visits = visitsOf(plan, objects, drawnIn(selection));
  return assign(alg, seed, { visits, inspectors, blocked: blocksOf(blocked, visits) });
}

/** The days of those visits whose row or plan names any. */
export function daysOf(alg, seed, { plan, objects }, selection) {
  const visits = visitsOf(plan, objects, drawnIn(selection));
  return drawDays(alg, seed, visits.filter((visit) => "days" in visit));
}

function pairs(map) {
  if (!isObject(map)) throw new Unreadable("pairs");
  return Object.entries(map).sort(([left], [right]) => compare(left, right));
}

/** The parts in the form that has a canonical text: ids cannot be keys, maps become lists. */
export function written({ selection, totals, assignment, days }) {
  return {
    selection,
    ...(totals === undefined ? {} : { totals }),
    assignment: { ...assignment, loads: pairs(need(assignment, "loads")) },
    days: pairs(days),
  };
}

/** The digest by which a result notes its seed. */
export function sealedSeed(alg, seed) {
  return hex(hashOf(alg).digest(bytes32(seed)));
}

/** What a result may say before disclosure: status, and each part hashed with the seed. */
export function sealed(alg, seed, outcome) {
  const parts = Object.entries(written(outcome)).map(([name, part]) => {
    return [name, digestOf(alg, { seed, [name]: part })];
  });
  const status = textOf(outcome.assignment, "status");
  return { status, seed: sealedSeed(alg, seed), ...Object.fromEntries(parts) };
}

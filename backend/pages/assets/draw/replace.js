/** Replacing an institution by its reserve, an inspector by a colleague (draw.md section 8). */

import { compare, hex, join, pad32, utf8 } from "./bytes.js";
import { hashOf } from "./digest.js";
import { refuse } from "./errors.js";
import { found, need, Unreadable } from "./shape.js";
import { NOBODY, Teams } from "./teams.js";
import { bytes32, Tickets } from "./tickets.js";

/** Why a drawn institution may be withdrawn; anything else would be a choice. */
export const REASONS = [
  "deregistered",
  "moved",
  "force_majeure",
  "no_activity",
  "other_authority",
];
/** A session that did not take place as filed: the next of its class takes its place. */
export const SESSION_REASONS = ["session_moved", "session_cancelled"];

function unused(selection, stratum, used) {
  const part = selection.find((one) => one.stratum === stratum) ?? refuse("E_STRATUM");
  return part.reserve.filter((id) => !used.includes(id));
}

/** The first unused of the stratum's reserve; null is a shortfall. */
export function nextReserve(selection, stratum, used) {
  return unused(selection, stratum, used)[0] ?? null;
}

/** The link of the supervisor's chain that follows, in hexadecimal. */
export function nextLink(alg, link) {
  return hex(hashOf(alg).digest(bytes32(link)));
}

/** Strong profile: the unused reserve of smallest ticket under a seed unknown till then. */
export function nextHiddenReserve(alg, { seed, link }, selection, stratum, used) {
  const bytes = join(pad32("ssj1.replseed"), bytes32(seed), bytes32(link));
  const tickets = new Tickets(alg, hex(hashOf(alg).digest(bytes)));
  const ordered = unused(selection, stratum, used).map((id) => {
    return { id, ticket: tickets.ticket("ssj1.ticket", utf8(id)) };
  });
  ordered.sort((left, right) => {
    if (left.ticket !== right.ticket) return left.ticket < right.ticket ? -1 : 1;
    return compare(left.id, right.id);
  });
  return ordered[0]?.id ?? null;
}

/** The next later session of the class of one that was moved or cancelled; null for none. */
export function nextSession(objects, moved, used) {
  const row = objects.find((one) => one.id === moved && "class" in one) ?? refuse("E_ID");
  const [first] = need(row, "days");
  const later = objects
    .filter((other) => other.class === row.class && need(other, "days")[0] > first)
    .filter((other) => !other.excl && !used.includes(other.id))
    .sort((left, right) => compare(left.days[0], right.days[0]) || compare(left.id, right.id));
  return later[0]?.id ?? null;
}

function seat(teams, standing) {
  const numbers = new Map(teams.visits.map(({ id }, number) => [id, number]));
  const people = new Map(teams.inspectors.map(({ id }, number) => [id, number]));
  for (const [visit, team] of standing) {
    const number = found(numbers.get(visit), visit);
    if (teams.first[number + 1] - teams.first[number] !== team.length) throw new Unreadable(visit);
    team.forEach((id, j) => {
      if (id === null) return;
      const person = found(people.get(id), id);
      teams.seat(teams.first[number] + j, person);
      teams.load[person] += 1;
    });
  }
  return numbers;
}

/**
 * One place filled anew, every other team as it is: {released, inspector}, ids or null.
 * `crew` is {visits, inspectors, blocked, teams}, teams as visit id → ids or null.
 */
export function substitute(alg, seed, crew, { visit, place, event }) {
  const teams = new Teams(alg, seed, crew.visits, crew.inspectors, crew.blocked);
  const number = found(seat(teams, crew.teams).get(visit), "visit");
  const at = teams.first[number] + place;
  if (!(place >= 0 && at < teams.first[number + 1])) throw new Unreadable("place");
  const released = teams.holder[at];
  if (released !== NOBODY) {
    teams.holder[at] = NOBODY;
    teams.load[released] -= 1;
  }
  // Whoever was released cannot come back to this visit.
  const people = teams.candidates(at, (person) => person !== released);
  const nobody = people.length === 0;
  const chosen = nobody ? NOBODY : teams.pick("ssj1.sub", [teams.lab(at), String(event)], people);
  const named = (person) => (person === NOBODY ? null : teams.inspectors[person].id);
  return { released: named(released), inspector: named(chosen) };
}

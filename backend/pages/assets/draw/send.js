/** Sending inspectors: fill, repair, balance, prove what cannot be filled (draw.md section 6). */

import { compare } from "./bytes.js";
import { Dead, search, shift } from "./search.js";
import { NOBODY, Teams } from "./teams.js";

/** Phase A: place by place over all visits, the least loaded first; answers what stays open. */
function fill(teams) {
  const open = [];
  const byNumber = [...teams.places.keys()].sort(
    (left, right) => teams.places[left].j - teams.places[right].j || left - right,
  );
  for (const place of byNumber) {
    const people = teams.candidates(place);
    if (people.length === 0) {
      open.push(place);
      continue;
    }
    const person = teams.pick("ssj1.pick", [teams.lab(place)], people);
    teams.seat(place, person);
    teams.load[person] += 1;
  }
  return open;
}

/** Phase B: for every open place a chain of moves; answers what is proved impossible. */
function repair(teams, open) {
  const dead = new Dead();
  const left = [];
  for (const place of open) {
    const found = search(teams, [place], { dead });
    if (found.place === NOBODY) {
      dead.bury(found);
      left.push(place);
      continue;
    }
    const labels = [teams.lab(place), teams.lab(found.place)];
    shift(teams, found, teams.pick("ssj1.aug", labels, found.people));
  }
  return { dead, left };
}

/** Phase C: take from the busiest while somebody has two fewer; answers the number of moves. */
function balance(teams) {
  const dead = new Dead();
  let moves = 0;
  for (;;) {
    const busiest = mostLoaded(teams, dead.people);
    if (busiest === NOBODY) return moves;
    const limit = teams.load[busiest] - 2;
    if (teams.load.every((load) => load > limit)) return moves;
    const found = search(teams, teams.placesOf(busiest), {
      dead,
      seen: new Set([busiest]),
      admitted: (person) => person !== busiest && teams.load[person] <= limit,
    });
    if (found.place === NOBODY) {
      dead.bury(found);
      continue;
    }
    const labels = [String(moves), teams.lab(found.place)];
    teams.load[shift(teams, found, teams.pick("ssj1.bal", labels, found.people))] -= 1;
    moves += 1;
  }
}

function mostLoaded(teams, settled) {
  let found = NOBODY;
  teams.load.forEach((load, person) => {
    if (settled.has(person)) return;
    if (found === NOBODY || load > teams.load[found]) found = person;
  });
  return found;
}

/** [visit id, place number] of places, sorted by the ids' bytes and the numbers. */
function named(teams, places) {
  return [...places]
    .map((place) => [teams.visits[teams.places[place].visit].id, teams.places[place].j])
    .sort(([left, i], [right, j]) => compare(left, right) || i - j);
}

/** How many further turns the inspectors of a closed region and their colleagues could give. */
function supply(teams, dead) {
  let turns = 0;
  for (const person of dead.people) {
    turns += Math.max(0, teams.inspectors[person].cap - teams.prior[person]);
  }
  const others = new Map();
  for (const place of dead.places) {
    const { visit } = teams.places[place];
    if (!others.has(visit)) others.set(visit, new Set());
    for (const person of teams.fits(place)) {
      if (!dead.people.has(person)) others.get(visit).add(person);
    }
  }
  for (const people of others.values()) turns += people.size;
  return turns;
}

/** The proof that places stay open: need − supply is their number. */
function certificate(teams, dead) {
  return {
    slots: named(teams, dead.places),
    inspectors: [...dead.people].map((person) => teams.inspectors[person].id).sort(compare),
    need: dead.places.size,
    supply: supply(teams, dead),
  };
}

function teamOf(teams, number) {
  const holders = teams.holder.slice(teams.first[number], teams.first[number + 1]);
  return holders.map((person) => (person === NOBODY ? null : teams.inspectors[person].id));
}

/**
 * Teams for visits, with the proof where places stay open.
 * Raises the errors of assignment (draw.md section 12).
 */
export function assign(alg, seed, { visits, inspectors, blocked }) {
  const teams = new Teams(alg, seed, visits, inspectors, blocked);
  const { dead, left } = repair(teams, fill(teams));
  const moves = balance(teams);
  const loads = Object.create(null);
  teams.inspectors.forEach(({ id }, person) => {
    loads[id] = teams.load[person];
  });
  return {
    status: left.length === 0 ? "complete" : "infeasible",
    teams: teams.visits.map(({ id }, number) => ({ visit: id, team: teamOf(teams, number) })),
    open: named(teams, left),
    certificate: left.length === 0 ? null : certificate(teams, dead),
    moves,
    loads,
  };
}

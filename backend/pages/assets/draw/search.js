/** Breadth-first search over places for somebody who can take one more (draw.md section 6). */

import { NOBODY } from "./teams.js";

/** Regions found closed stay closed, so a later search passes by what is dead. */
export class Dead {
  constructor() {
    this.places = new Set();
    this.people = new Set();
  }

  bury({ parents, seen }) {
    for (const place of parents.keys()) this.places.add(place);
    for (const person of seen) this.people.add(person);
  }
}

function neighbours(teams, place, seen, dead) {
  const next = [];
  for (const person of teams.fits(place)) {
    const here = teams.inTeam(place, person);
    if (here !== NOBODY) {
      next.push(here);
    } else if (!seen.has(person) && !dead.people.has(person)) {
      seen.add(person);
      next.push(...teams.placesOf(person));
    }
  }
  return next;
}

/**
 * From the places of `roots` to a place somebody admitted can take.
 * `{place, people, parents}` where one is found, `{parents, seen}` of the closed region where
 * none is: `parents` has every place reached, `seen` every inspector passed through.
 */
export function search(teams, roots, { dead, seen = new Set(), admitted }) {
  const parents = new Map(roots.map((place) => [place, NOBODY]));
  const queue = [...parents.keys()];
  for (let at = 0; at < queue.length; at += 1) {
    const place = queue[at];
    const people = teams.candidates(place, admitted);
    if (people.length > 0) return { place, people, parents };
    for (const next of neighbours(teams, place, seen, dead)) {
      if (parents.has(next) || dead.places.has(next)) continue;
      parents.set(next, place);
      queue.push(next);
    }
  }
  return { place: NOBODY, people: [], parents, seen };
}

/**
 * Somebody takes the place found, its former holder moves to the parent place, and so on.
 * Answers who is left without the root's place; NOBODY when the root was open.
 */
export function shift(teams, { place, parents }, person) {
  teams.load[person] += 1;
  let [at, moving] = [place, person];
  while (at !== NOBODY) {
    moving = teams.seat(at, moving);
    at = parents.get(at);
  }
  return moving;
}

/** The state of an assignment: who holds which place, and the one way to pick somebody for it. */

import { label, Tickets } from "./tickets.js";
import { check, Fitting, rolesOf, shuffled } from "./roster.js";

export const NOBODY = -1;

/**
 * Places are numbers: the places of the first visit in visit order, then of the next. So the
 * order "(visit order, j)" of the specification is the order of the numbers.
 */
export class Teams {
  constructor(alg, seed, visits, inspectors, blocked) {
    check(visits, inspectors, blocked);
    this.tickets = new Tickets(alg, seed);
    this.visits = shuffled(visits, "ssj1.vorder", this.tickets);
    this.inspectors = shuffled(inspectors, "ssj1.iorder", this.tickets);
    this.fitting = new Fitting(this.inspectors, blocked);
    this.places = [];
    this.first = [];
    this.visits.forEach((visit, number) => {
      this.first.push(this.places.length);
      rolesOf(visit).forEach((role, j) => this.places.push({ visit: number, j, role }));
    });
    this.first.push(this.places.length);
    this.holder = new Array(this.places.length).fill(NOBODY);
    this.prior = this.inspectors.map(({ load }) => load ?? 0);
    this.load = [...this.prior];
    this.held = this.inspectors.map(() => new Set());
  }

  /** The numbers of those who fit a place, in inspector order. */
  fits(place) {
    const { visit, role } = this.places[place];
    return this.fitting.of(this.visits[visit], role);
  }

  /** The place an inspector holds in the visit of `place`; NOBODY when in no place of it. */
  inTeam(place, person) {
    const { visit } = this.places[place];
    for (let at = this.first[visit]; at < this.first[visit + 1]; at += 1) {
      if (this.holder[at] === person) return at;
    }
    return NOBODY;
  }

  isFree(person) {
    return this.load[person] < this.inspectors[person].cap;
  }

  /** Those who fit a place, are free, not in its team and admitted: of these, the least loaded. */
  candidates(place, admitted = () => true) {
    let least = Infinity;
    let found = [];
    for (const person of this.fits(place)) {
      const load = this.load[person];
      const open = load <= least && this.isFree(person) && admitted(person);
      if (!open || this.inTeam(place, person) !== NOBODY) continue;
      if (load < least) found = [];
      least = load;
      found.push(person);
    }
    return found;
  }

  /** lab(v, j) of a place, as text. */
  lab(place) {
    const { visit, j } = this.places[place];
    return `${this.visits[visit].id}\0${j}`;
  }

  pick(tag, parts, people) {
    return this.tickets.pick(tag, label(...parts), people);
  }

  /** Gives a place to somebody, and says who held it before. */
  seat(place, person) {
    const before = this.holder[place];
    this.holder[place] = person;
    if (before !== NOBODY) this.held[before].delete(place);
    this.held[person].add(place);
    return before;
  }

  placesOf(person) {
    return [...this.held[person]].sort((left, right) => left - right);
  }
}

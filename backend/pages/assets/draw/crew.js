/** The teams as the events of the log change them (draw.md section 8). */

import { blocksOf, visitsOf } from "./outcome.js";
import { found, listOf, maybe, need, textOf, Unreadable } from "./shape.js";

export class Crew {
  constructor(record) {
    this.record = record;
    const teams = listOf(record.assignment, "teams");
    this.teams = new Map(teams.map((one) => [textOf(one, "visit"), [...listOf(one, "team")]]));
    this.staff = [...record.inspectors];
    this.barred = [];
    this.sent = new Set([...this.teams.values()].flat().filter((id) => id !== null));
  }

  /** {visits, inspectors, blocked, teams} as they stand, for `substitute`. */
  now() {
    const { plan, objects, blocked } = this.record;
    const visits = visitsOf(plan, objects, this.teams.keys());
    return {
      visits,
      inspectors: this.staff,
      blocked: blocksOf([...blocked, ...this.barred], visits),
      teams: this.teams,
    };
  }

  /** Change as an entry says; a reserve's places are open until substituted. */
  follow({ type, body }) {
    if (maybe(body, "draw") !== this.record.draw) return;
    if (type === "replace") this.replace(body);
    if (type === "supplement") this.supplement(body);
    if (type === "substitute") this.substitute(body);
  }

  replace(body) {
    const away = need(body, "withdrawn");
    const team = found(this.teams.get(away), "withdrawn");
    this.teams.delete(away);
    this.teams.set(need(body, "object"), team.map(() => null));
  }

  supplement(body) {
    const known = new Set(this.staff.map(({ id }) => id));
    this.staff.push(...listOf(body, "inspectors").filter((row) => !known.has(need(row, "id"))));
    this.barred.push(...listOf(body, "blocked"));
  }

  substitute(body) {
    const team = found(this.teams.get(need(body, "visit")), "visit");
    const place = need(body, "place");
    if (!(Number.isInteger(place) && place < team.length)) throw new Unreadable("place");
    team[place] = need(body, "inspector");
    this.sent.add(body.inspector);
    if (need(body, "released") !== null) this.barred.push([body.released, body.visit]);
  }
}

/** One numbered attempt as the log tells it: its entries by type, its seed, its level. */

import { compare } from "./bytes.js";
import { entries } from "./chain.js";
import { seedOf } from "./seed.js";
import { found, isObject, list, listOf, need, text, textOf, Unreadable } from "./shape.js";

export const LEVELS = "ABCD";
const PUBLIC_SOURCES = ["drand", "lottery"];
export const SOURCES = [...PUBLIC_SOURCES, "dice"];

class Attempt {
  constructor(log, opened) {
    this.number = need(opened.body, "attempt");
    this.stage = need(opened.body, "stage");
    this.draw = need(opened.body, "draw");
    this.kinds = new Map([["attempt_open", [opened]]]);
    for (const entry of log) {
      const body = need(entry, "body");
      if (!isObject(body)) throw new Unreadable("body");
      const mine = body.draw === this.draw && body.attempt === this.number;
      if (!mine || need(entry, "type") === "attempt_open") continue;
      this.kinds.set(entry.type, [...this.all(entry.type), entry]);
    }
  }

  all(type) {
    return this.kinds.get(type) ?? [];
  }

  bodies(type) {
    return this.all(type).map(({ body }) => body);
  }

  get freeze() {
    return found(this.bodies("freeze")[0], "freeze");
  }

  get result() {
    return this.bodies("result")[0] ?? null;
  }

  /** The parties of a type of entry in byte order, each as often as it stands there. */
  parties(type) {
    return this.bodies(type)
      .map((body) => textOf(body, "party"))
      .sort(compare);
  }

  frozenParties() {
    return [...listOf(this.freeze, "parties")].map((party) => text(party)).sort(compare);
  }

  entropy() {
    return this.bodies("entropy").map((body) => ({
      source: need(body, "source"),
      ref: need(body, "ref"),
      value: need(body, "value"),
    }));
  }

  /** Party → Ed25519 public key in hexadecimal, as the freeze names them. */
  keys() {
    const named = list(need(this.freeze, "party_keys"), "party_keys");
    return new Map(named.map((item) => [need(item, "party"), need(item, "key")]));
  }

  /** The seed, made anew from the secrets opened at disclosure. */
  seed(alg, plan) {
    const reveals = Object.create(null);
    for (const body of this.bodies("opening")) reveals[textOf(body, "party")] = body.value;
    return seedOf(alg, {
      draw: this.draw,
      attempt: this.number,
      plan,
      frame_objects: need(need(this.freeze, "objects"), "root"),
      frame_inspectors: need(need(this.freeze, "inspectors"), "root"),
      reveals,
      entropy: this.entropy(),
    });
  }

  /** draw.md section 3.4; two parties with one key are one. */
  level() {
    const sources = this.bodies("entropy").map((body) => need(body, "source"));
    if (new Set(this.keys().values()).size > 1) {
      return sources.some((source) => PUBLIC_SOURCES.includes(source)) ? "A" : "B";
    }
    return sources.some((source) => SOURCES.includes(source)) ? "C" : "D";
  }
}

export function attemptsOf(log, draw) {
  return entries(log, "attempt_open", draw).map((opened) => new Attempt(log, opened));
}

/** Events that would name a target: sealed in the log until the disclosure (section 3.6). */

import { finding } from "./findings.js";
import { digestOf } from "./seed.js";
import { isObject, need, Unreadable } from "./shape.js";

const SEALABLE = ["withdraw", "replace", "substitute", "supplement"];

function opens(entry, draw) {
  const body = need(entry, "body");
  if (!isObject(body)) throw new Unreadable("body");
  return body.draw === draw && "opens" in body;
}

/** The log with the opened events of a draw where they were sealed, when they happened. */
export function happened(log, draw) {
  const opened = new Map();
  for (const entry of log) if (opens(entry, draw)) opened.set(entry.body.opens, entry);
  return log
    .filter((entry) => !opens(entry, draw))
    .map((entry) => {
      const { type, body, seq, time } = entry;
      if (type !== "sealed" || need(body, "draw") !== draw) return entry;
      const told = opened.get(need(body, "number"));
      return told === undefined ? entry : { ...told, seq, time };
    });
}

/** The digest by which an entry was sealed, from the entry that opens it. */
function sealOf(alg, { type, body }) {
  const salt = need(body, "salt");
  const told = Object.entries(body).filter(([key]) => key !== "opens" && key !== "salt");
  return digestOf(alg, { body: Object.fromEntries(told), kind: type, salt });
}

/** Sealed events misnumbered, not opened, or opened as something else. */
export function* checkSealed({ alg, log, draw }) {
  const sealed = log.filter(({ type, body }) => type === "sealed" && need(body, "draw") === draw);
  const numbers = sealed.map(({ body }) => need(body, "number"));
  const opened = log.filter((entry) => opens(entry, draw));
  const counted = numbers.every((number, at) => number === at);
  const told = opened.every(({ body }, at) => body.opens === numbers[at]);
  if (!counted || !told || opened.length !== numbers.length) {
    yield finding("sealed.numbers", { numbers });
    return;
  }
  for (const [at, was] of sealed.entries()) {
    const entry = opened[at];
    const same = entry.type === need(was.body, "kind") && sealOf(alg, entry) === was.body.digest;
    if (!same || entry.seq < was.seq || !SEALABLE.includes(entry.type)) {
      yield finding("sealed.other", { number: numbers[at] });
    }
  }
}

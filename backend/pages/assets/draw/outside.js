/** What a reader compares with paper: the head of the log and the keys of the parties. */

import { isObject } from "./shape.js";

function keysIn(log) {
  const bodies = log.filter(({ type }) => type === "freeze").map(({ body }) => body);
  const named = bodies.flatMap(({ party_keys: keys }) => keys);
  return new Map(named.map(({ party, key }) => [String(party), String(key)]));
}

/** {draw, head, keys: [[party, key]]}; a broken record has no head and no keys. */
export function outsideOf(record) {
  const draw = String(record.draw ?? "");
  const nothing = { draw, head: null, keys: [] };
  if (!Array.isArray(record.log) || !isObject(record.log.at(-1))) return nothing;
  try {
    return { draw, head: String(record.log.at(-1).hash), keys: [...keysIn(record.log)] };
  } catch (fault) {
    if (fault instanceof TypeError) return nothing;
    throw fault;
  }
}

/** Parties sign their commitments and the log's heads (draw.md section 9). */

import { compare, join, pad32, unhex } from "./bytes.js";
import { isSigned } from "./ed25519.js";
import { finding } from "./findings.js";
import { found, list, listOf, maybe, need, text, textOf, Unreadable } from "./shape.js";
import { bytes32 } from "./tickets.js";

const COUNTERSIGN = "head,party,signature";

function signed(key, message, signature) {
  if (key === undefined || text(signature) !== signature.toLowerCase()) return false;
  const bytes = unhex(signature);
  if (bytes === null) throw new Unreadable("signature");
  return isSigned(bytes32(key), message, bytes);
}

/** Parties without a key of their own, with another than `given`, and forged commitments. */
export function* checkKeys(tries, given) {
  for (const attempt of tries) {
    const { number } = attempt;
    const keys = attempt.keys();
    const parties = list(attempt.freeze.parties);
    const named = attempt.freeze.party_keys.map((item) => item.party);
    if (named.length !== parties.length || named.some((party, at) => party !== parties[at])) {
      yield finding("signatures.keys", { attempt: number });
    }
    if (new Set(keys.values()).size !== named.length) {
      yield finding("signatures.shared", { attempt: number });
    }
    for (const [party, key] of Object.entries(given)) {
      if (keys.has(party) && keys.get(party) !== key) {
        yield finding("signatures.other_key", { attempt: number, party });
      }
    }
    for (const body of attempt.bodies("commit")) {
      const party = need(body, "party");
      const message = join(pad32("ssj1.commit"), bytes32(need(body, "commitment")));
      if (!signed(keys.get(party), message, need(body, "signature"))) {
        yield finding("signatures.commit", { attempt: number, party });
      }
    }
  }
}

/** Who signed which head: `by` is party → numbers of the entries countersigned. */
export class Heads {
  constructor(record, tries) {
    this.record = record;
    this.tries = tries;
    this.places = new Map(record.log.map((entry) => [need(entry, "hash"), need(entry, "seq")]));
    this.by = new Map();
  }

  /** Every countersignature that is false, and a log whose end nobody signed. */
  *check() {
    yield* this.inLog();
    yield* this.beside();
    const { log, draw } = this.record;
    const mine = log.filter(({ body }) => body.draw === draw);
    const last = found(mine.at(-1), "draw").seq;
    const ends = [...this.by.values()].map((numbers) => Math.max(...numbers));
    if (!ends.some((end) => end >= last)) yield finding("signatures.end");
  }

  *inLog() {
    for (const { seq, type, body } of this.record.log) {
      const telling = type === "reveal" || type === "disclose";
      if (!telling || need(body, "draw") !== this.record.draw) continue;
      const number = need(body, "attempt");
      const now = found(this.tries.find((attempt) => attempt.number === number), "attempt");
      const keys = now.keys();
      for (const item of list(maybe(body, "countersigned", []))) yield* this.one(item, keys, seq);
    }
  }

  *beside() {
    const { log, countersigns } = this.record;
    const keys = new Map(this.tries.flatMap((attempt) => [...attempt.keys()]));
    const order = [];
    for (const item of countersigns) {
      yield* this.one(item, keys, log.length);
      const place = this.places.get(need(item, "head")) ?? -1;
      order.push([place, textOf(item, "party")]);
    }
    const inOrder = order.every(([place, party], at) => {
      if (at === 0) return true;
      const [before, other] = order[at - 1];
      return before < place || (before === place && compare(other, party) < 0);
    });
    if (!inOrder) yield finding("signatures.order");
  }

  *one(item, keys, before) {
    if (Object.keys(item).sort().join() !== COUNTERSIGN) {
      yield finding("signatures.form");
      return;
    }
    const { party, head, signature } = item;
    const place = this.places.get(head) ?? before;
    if (!keys.has(party)) yield finding("signatures.stranger", { party });
    else if (place >= before) yield finding("signatures.head", { party });
    else if (!signed(keys.get(party), bytes32(head), signature)) {
      yield finding("signatures.bad", { party, head });
    } else this.by.set(party, [...(this.by.get(party) ?? []), place]);
  }

  /** The parties of a result who signed nothing at the freeze, or nothing after the result. */
  *notes() {
    for (const attempt of this.tries.filter(({ result }) => result)) {
      const start = attempt.all("freeze")[0].seq;
      const end = attempt.all("result")[0].seq;
      const spans = [
        ["note.freeze", start, end],
        ["note.signed", end, this.record.log.length],
      ];
      for (const [code, low, high] of spans) {
        const silent = listOf(attempt.freeze, "parties").filter((party) => {
          return !(this.by.get(party) ?? []).some((seq) => low <= seq && seq < high);
        });
        if (silent.length > 0) yield finding(code, { parties: silent });
      }
    }
  }
}

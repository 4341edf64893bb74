/** The reference interface of draw.md section 12: one case in, one answer out. */

import { hex, utf8 } from "./bytes.js";
import { canonical } from "./canon.js";
import { drawDays } from "./days.js";
import { hashOf } from "./digest.js";
import { DrawError, refuse } from "./errors.js";
import { parse } from "./json.js";
import { frameRoot } from "./merkle.js";
import { commitment, seedOf } from "./seed.js";
import { select } from "./select.js";
import { assign } from "./send.js";
import { bytes32, T, Tickets } from "./tickets.js";

const DECIMAL = /^[0-9]{1,78}$/;

function canon({ alg, input_json_ascii: text }) {
  const whole = canonical(parse(text));
  if (alg === undefined) return whole;
  return { canon: whole, digest: hex(hashOf(alg).digest(utf8(whole))) };
}

function limitOf({ n, n_str: digits }) {
  if (digits !== undefined) return DECIMAL.test(digits) ? BigInt(digits) : 0n;
  return Number.isInteger(n) || typeof n === "bigint" ? BigInt(n) : 0n;
}

function uniform(one) {
  const n = limitOf(one);
  if (n < 1n || n > T) refuse("E_NUMBER");
  return String(new Tickets(one.alg, one.seed).uniform(one.tag, utf8(one.label_utf8), n));
}

const OPERATIONS = new Map([
  ["canon", canon],
  ["merkle", (one) => frameRoot(one.alg, bytes32(one.salt_key), one.rows)],
  ["commitment", (one) => commitment(one.alg, one)],
  ["seed", (one) => seedOf(one.alg, one)],
  ["uniform", uniform],
  ["select", ({ alg, seed, plan, rows }) => select(alg, seed, plan, rows)],
  ["assign", ({ alg, seed, ...people }) => assign(alg, seed, people)],
  ["days", ({ alg, seed, visits }) => drawDays(alg, seed, visits)],
]);

/** `{ok}` or `{error}` of a case, given as the values `parse` makes. */
export function answer(one) {
  try {
    const operation = OPERATIONS.get(one.op) ?? refuse("E_OP");
    return { ok: operation(one) };
  } catch (fault) {
    if (fault instanceof DrawError) return { error: fault.code };
    // A list where an object belongs, text nested beyond the stack: input of another kind.
    if (fault instanceof TypeError || fault instanceof RangeError) return { error: "E_TYPE" };
    throw fault;
  }
}

/** The answer to a line of JSON, as a line of JSON. */
export function answerLine(line) {
  return JSON.stringify(answer(parse(line)));
}

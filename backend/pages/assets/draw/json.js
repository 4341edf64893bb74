/**
 * JSON text to values without losing what `JSON.parse` loses: whether a number was an integer,
 * its exact size, the order of keys and a key given twice (draw.md section 2.1).
 */

import { refuse } from "./errors.js";

const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const FOUR = /[0-9a-fA-F]{4}/y;
const INDEX = /^(?:0|[1-9][0-9]*)$/;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = { t: ["true", true], f: ["false", false], n: ["null", null] };

/** Keys and values as they stood in the text, kept where an object loses order or repetition. */
export const PAIRS = Symbol("pairs in input order");

/** A number with a fraction or an exponent: the draw has none, so its value is never needed. */
export class Inexact {}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.repeated = false;
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) refuse("E_TYPE");
    this.at = pattern.lastIndex;
    return found;
  }

  /** The next character that is no white space, left unread; "" at the end. */
  peek() {
    this.match(SPACE);
    return this.text.charAt(this.at);
  }

  take(character) {
    if (this.peek() !== character) refuse("E_TYPE");
    this.at += 1;
  }

  value() {
    const first = this.peek();
    if (first === "{") return this.object();
    if (first === "[") return this.array();
    if (first === '"') return this.string();
    if (first in WORDS) return this.word(WORDS[first]);
    return this.number();
  }

  word([word, value]) {
    if (!this.text.startsWith(word, this.at)) refuse("E_TYPE");
    this.at += word.length;
    return value;
  }

  number() {
    const [digits, fraction, exponent] = this.match(NUMBER);
    if (fraction !== undefined || exponent !== undefined) return new Inexact();
    const value = Number(digits);
    return Number.isSafeInteger(value) ? value + 0 : BigInt(digits);
  }

  string() {
    this.at += 1;
    let whole = "";
    for (;;) {
      whole += this.match(PLAIN)[0];
      const stop = this.text.charAt(this.at);
      this.at += 1;
      if (stop === '"') return whole;
      if (stop !== "\\") refuse("E_TYPE");
      whole += this.escape();
    }
  }

  escape() {
    const letter = this.text.charAt(this.at);
    this.at += 1;
    if (letter === "u") return String.fromCharCode(Number.parseInt(this.match(FOUR)[0], 16));
    if (letter === "" || !(letter in ESCAPES)) refuse("E_TYPE");
    return ESCAPES[letter];
  }

  array() {
    this.at += 1;
    const items = [];
    if (this.ends("]")) return items;
    do items.push(this.value());
    while (this.more("]"));
    return items;
  }

  object() {
    this.at += 1;
    const fields = Object.create(null);
    if (this.ends("}")) return fields;
    const pairs = [];
    let telling = false;
    do {
      if (this.peek() !== '"') refuse("E_TYPE");
      const key = this.string();
      this.take(":");
      const value = this.value();
      this.repeated ||= key in fields;
      telling ||= key in fields || INDEX.test(key);
      fields[key] = value;
      pairs.push([key, value]);
    } while (this.more("}"));
    if (telling) fields[PAIRS] = pairs;
    return fields;
  }

  ends(close) {
    if (this.peek() !== close) return false;
    this.at += 1;
    return true;
  }

  more(close) {
    const next = this.peek();
    this.at += 1;
    if (next !== "," && next !== close) refuse("E_TYPE");
    return next === ",";
  }
}

function read(text) {
  const reader = new Reader(text);
  const value = reader.value();
  if (reader.peek() !== "") refuse("E_TYPE");
  return { value, repeated: reader.repeated };
}

/**
 * The value of JSON text: objects without prototype, integers beyond 2^53 - 1 as BigInt, numbers
 * with fraction or exponent as `Inexact`; of a key given twice the last value counts, `canonical`
 * refuses such an object.  Raises E_TYPE where the text is not JSON.
 */
export function parse(text) {
  return read(text).value;
}

/** The same of a text that gives no key twice. Raises E_TYPE, E_KEY. */
export function parseStrictly(text) {
  const { value, repeated } = read(text);
  return repeated ? refuse("E_KEY") : value;
}

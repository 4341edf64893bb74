/**
 * The canonical form of everything signed or hashed: JCS narrowed to integers and NFC text.
 * Twin of media/canon.py; shared vectors hold both.
 */

import { utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";

export type Canonical =
  | string
  | boolean
  | number
  | readonly Canonical[]
  | { readonly [key: string]: Canonical | undefined };

const DEPTH = 8;

/** A value outside the narrowed form; `reason` says which rule it breaks. */
export class NotCanonical extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(`not_canonical: ${reason}`);
    this.reason = reason;
  }
}

/** The bytes that are hashed, signed and sent; a key whose value is undefined is left out. */
export function encode(value: { readonly [key: string]: Canonical | undefined }): Bytes {
  return utf8(spell(value, 1));
}

function spell(value: Canonical, depth: number): string {
  switch (typeof value) {
    case "string":
      return text(value);
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isSafeInteger(value)) {
        throw new NotCanonical("number");
      }
      return String(Object.is(value, -0) ? 0 : value);
    case "object":
      return value === null ? refuse("null") : inside(value, depth);
    default:
      return refuse("type");
  }
}

function inside(value: Exclude<Canonical, string | boolean | number>, depth: number): string {
  if (depth > DEPTH) {
    throw new NotCanonical("depth");
  }
  if (isList(value)) {
    return `[${value.map((one) => spell(one, depth + 1)).join(",")}]`;
  }
  // The language sorts by UTF-16 code units, which is what RFC 8785 asks for.
  const pairs = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const one = value[key];
      return one === undefined ? [] : [`${text(key)}:${spell(one, depth + 1)}`];
    });
  return `{${pairs.join(",")}}`;
}

function isList(value: object): value is readonly Canonical[] {
  return Array.isArray(value);
}

function text(value: string): string {
  if (value.includes("\0")) {
    throw new NotCanonical("nul");
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw new NotCanonical("surrogate");
  }
  if (value.normalize("NFC") !== value) {
    throw new NotCanonical("nfc");
  }
  return JSON.stringify(value);
}

function refuse(reason: string): never {
  throw new NotCanonical(reason);
}

// Reads canonical JSON and holds it against the forms that stand in a bundle (reading.py).

const DEEPEST = 8;
const JSON_MOST = 1 << 24;
const COMPILED = Object.fromEntries(
  Object.entries(PATTERNS).map(([name, text]) => [name, new RegExp(`^(?:${text})$`)]),
);

class Fault extends Error {
  constructor(check, code, subject = "") {
    super(`${check} ${code} ${subject}`);
    Object.assign(this, { check, code, subject });
  }
}

class Unfit extends Error {}

class Stop extends Error {}

const utf8 = (text) => new TextEncoder().encode(text);
const join = (...parts) => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};
const same = (one, other) =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));

function canonical(raw) {
  if (raw.length > JSON_MOST) throw new Unfit("too long");
  let value;
  try {
    // The mark at a text's beginning is kept, so that it is refused.
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw));
  } catch {
    throw new Unfit("not JSON");
  }
  const object = value !== null && typeof value === "object" && !Array.isArray(value);
  if (!object || !same(utf8(spell(value, 1)), raw)) throw new Unfit("spelling");
  return value;
}

function spell(value, depth) {
  if (typeof value === "string") return spellText(value);
  if (typeof value === "boolean") return String(value);
  if (Number.isSafeInteger(value)) return String(value);
  if (depth > DEEPEST || value === null || typeof value !== "object") throw new Unfit("type");
  if (Array.isArray(value)) return `[${value.map((one) => spell(one, depth + 1)).join(",")}]`;
  const pairs = Object.keys(value).sort();
  return `{${pairs.map((key) => `${spellText(key)}:${spell(value[key], depth + 1)}`).join(",")}}`;
}

function spellText(text) {
  const whole = !/[\ud800-\udfff]/u.test(text);
  if (!whole || text.includes("\0") || text !== text.normalize("NFC")) throw new Unfit("text");
  return JSON.stringify(text);
}

function shaped(value, form) {
  if (form[0] === "[") {
    return Array.isArray(value) && value.every((one) => shaped(one, form.slice(1, -1)));
  }
  if (form[0] === "{") {
    const object = value !== null && typeof value === "object" && !Array.isArray(value);
    return object && fits(value, FORMS[form.slice(1, -1)]);
  }
  if (form[0] === "=") return form.slice(1).split("|").includes(value);
  if (form === "int") return Number.isSafeInteger(value) && value >= 0;
  if (form in COMPILED) return typeof value === "string" && COMPILED[form].test(value);
  return form === "any" || typeof value === "string";
}

function fits(value, fields) {
  if (!("*" in fields) && !Object.keys(value).every((key) => Object.hasOwn(fields, key))) {
    return false;
  }
  return Object.entries(fields).every(([key, form]) => {
    const asked = form.replace(/^\?/, "");
    if (Object.hasOwn(value, key)) return shaped(value[key], asked);
    return key === "*" || asked !== form;
  });
}

function record(raw, form) {
  const value = canonical(raw);
  if (!fits(value, FORMS[form])) throw new Unfit("form");
  return value;
}

function unbase64(text) {
  let plain;
  try {
    plain = atob(text);
  } catch {
    throw new Unfit("base64");
  }
  // atob forgives spaces, lost padding and spare bits; one value has one spelling.
  if (btoa(plain) !== text) throw new Unfit("base64");
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function base64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Unfit("base64url");
  const padded = text + "=".repeat((4 - (text.length % 4)) % 4);
  return unbase64(padded.replaceAll("-", "+").replaceAll("_", "/"));
}

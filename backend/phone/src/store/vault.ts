/**
 * The PIN: what was captured can be looked at here only while it is open. Sending never needs it,
 * and forgetting it loses nothing.
 */

import { join, utf8 } from "../wire/bytes.ts";
import type { Bytes } from "../wire/bytes.ts";
import { read, write } from "./cells.ts";

const ROUNDS = 600_000;
const PROOF = utf8("mingcha pin");
const NONCE = 12;
/** Wrong PINs in a row until only signing in online opens it again. */
export const TRIES = 5;

let open: CryptoKey | null = null;

export function isOpen(): boolean {
  return open !== null;
}

/** Close it: after five idle minutes, or when the person does. */
export function close(): void {
  open = null;
}

/** Set a first or a new PIN; what was kept under a forgotten one is sent, but not shown here. */
export async function setPin(pin: string): Promise<void> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  open = await derive(pin, salt);
  await write("lock", { salt, proof: await under(open, PROOF), wrong: 0 });
}

export type Opened = "open" | "wrong" | "locked" | "unset";

/** Try a PIN; the fifth wrong one in a row locks it until an online sign-in. */
export async function tryPin(pin: string): Promise<Opened> {
  const lock = await read("lock");
  if (lock === null) {
    return "unset";
  }
  if (lock.wrong >= TRIES) {
    return "locked";
  }
  const key = await derive(pin, lock.salt);
  if ((await opened(key, lock.proof)) === null) {
    await write("lock", { ...lock, wrong: lock.wrong + 1 });
    return lock.wrong + 1 >= TRIES ? "locked" : "wrong";
  }
  open = key;
  await write("lock", { ...lock, wrong: 0 });
  return "open";
}

/** A blob's key under the PIN, or nothing where there is no PIN or it is closed. */
export async function wrapLocally(key: CryptoKey): Promise<Bytes | undefined> {
  if (open === null) {
    return undefined;
  }
  return under(open, new Uint8Array(await crypto.subtle.exportKey("raw", key)));
}

/** The blob's key again, or null where the PIN of today is not the one it lies under. */
export async function unwrapLocally(wrapped: Bytes): Promise<CryptoKey | null> {
  const raw = open === null ? null : await opened(open, wrapped);
  return raw === null
    ? null
    : crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
}

async function derive(pin: string, salt: Bytes): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  const made = { name: "AES-GCM", length: 256 };
  return crypto.subtle.deriveKey(how, base, made, false, ["encrypt", "decrypt"]);
}

async function under(key: CryptoKey, plain: Bytes): Promise<Bytes> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE));
  const text = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain);
  return join(iv, new Uint8Array(text));
}

async function opened(key: CryptoKey, wrapped: Bytes): Promise<Bytes | null> {
  const iv = wrapped.slice(0, NONCE);
  try {
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, wrapped.slice(NONCE));
    return new Uint8Array(plain);
  } catch {
    return null;
  }
}

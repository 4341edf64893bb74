/**
 * The PIN: what was captured can be looked at here only while it is open. Sending never needs it,
 * and forgetting it loses nothing.
 */

import { join, utf8 } from "../wire/bytes.ts";
import type { Bytes } from "../wire/bytes.ts";
import { read, write } from "./cells.ts";
import { store } from "./db.ts";

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
  const key = await derive(pin, salt);
  await sealAnew(key);
  open = key;
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

/** What proves a secret later, without holding it. */
export interface Proof {
  readonly salt: Bytes;
  readonly proof: Bytes;
}

/** Make a proof of a secret that opens nothing but one page. */
export async function proofOf(secret: string): Promise<Proof> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return { salt, proof: await under(await derive(secret, salt), PROOF) };
}

/** Whether a secret is the one that the proof was made of. */
export async function proves(secret: string, { salt, proof }: Proof): Promise<boolean> {
  return (await opened(await derive(secret, salt), proof)) !== null;
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

/**
 * Seal a small picture: under the PIN while it is open, else under this phone's own key; nothing
 * where a browser stores no keys, since such a picture would lie open.
 */
export async function sealHere(plain: Bytes): Promise<Bytes | undefined> {
  const key = open ?? (await contentKey().catch(() => null));
  return key === null ? undefined : under(key, plain);
}

/** What was sealed here, or null where neither the PIN nor the phone's own key opens it. */
export async function openHere(sealed: Bytes): Promise<Bytes | null> {
  const own = await read("content");
  return (
    (open === null ? null : await opened(open, sealed)) ??
    (own === null ? null : await opened(own, sealed))
  );
}

async function contentKey(): Promise<CryptoKey> {
  const known = await read("content");
  if (known !== null) {
    return known;
  }
  const made = { name: "AES-GCM", length: 256 };
  const key = await crypto.subtle.generateKey(made, false, ["encrypt", "decrypt"]);
  await write("content", key);
  return key;
}

/** Small pictures that can be seen now can be seen under the new PIN, and under it alone. */
async function sealAnew(key: CryptoKey): Promise<void> {
  for (const capture of await store.captures.filter((one) => one.preview !== undefined).toArray()) {
    const plain = await openHere(capture.preview!);
    if (plain !== null) {
      await store.captures.update(capture.id, { preview: await under(key, plain) });
    }
  }
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

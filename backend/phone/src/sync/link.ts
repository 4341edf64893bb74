/** The line to the server: tokens renewed in time, the clock anchored, every call proved. */

import { erase, read, write } from "../store/cells.ts";
import type { Session } from "../store/cells.ts";
import { alone } from "../store/locks.ts";
import type { components } from "../wire/api";
import type { Bytes } from "../wire/bytes.ts";
import { Refused, call, dated } from "../wire/call.ts";
import type { Dated } from "../wire/call.ts";
import { anchorOf, provenNow } from "../wire/clock.ts";
import { newId } from "../wire/ids.ts";
import { keyOf } from "../wire/keys.ts";
import type { DeviceKey } from "../wire/keys.ts";
import { buildProof } from "../wire/ops.ts";

type Schemas = components["schemas"];

/** Renewed this long before a token runs out (ms). */
const EARLY_MS = 60_000;
/** No token lives longer than this (ms). */
const LONGEST_MS = 24 * 3_600_000;
/** A nonce is good for twelve hours; a fresh one also anchors the clock. */
const ANCHOR_MS = 30 * 60_000;

let device: DeviceKey | null = null;

/** The device's key, once it is enrolled. */
export async function deviceKey(): Promise<DeviceKey | null> {
  if (device === null) {
    const pair = await read("key");
    device = pair === null ? null : await keyOf(pair);
  }
  return device;
}

export function forgetKey(): void {
  device = null;
}

/** What is signed with a key that this browser does not store: until the page is closed. */
export function holdKey(key: DeviceKey): void {
  device = key;
}

/** Keep tokens; how long they live is told by the server's clock, since ours may be years off. */
async function keep({ answer, at }: Dated<Schemas["TokensOut"]>): Promise<Session> {
  const { access, refresh, expires_at } = answer;
  const session = { access, refresh, expires: Date.now() + Date.parse(expires_at) - at };
  await write("session", session);
  return session;
}

/** Sign in; `device` binds the tokens to an enrolled phone. */
export async function signIn(login: string, password: string, device?: string): Promise<Session> {
  const caller = { access: null, key: null, nonce: null };
  const body = device === undefined ? { login, password } : { login, password, device };
  return keep(await dated<Schemas["TokensOut"]>(caller, "POST", "/api/v1/sessions", body));
}

/**
 * A token that still lives and is not `spent`, which the server has just refused; throws Refused
 * where the person has to sign in again.
 */
async function access(spent = ""): Promise<string> {
  const session = await read("session");
  if (session === null) {
    throw new Refused(401, "request.unauthorised", "");
  }
  // A clock that was set back since makes a token look younger than it can be.
  const left = session.expires - Date.now();
  if (session.access !== spent && left > EARLY_MS && left < LONGEST_MS) {
    return session.access;
  }
  return alone("renew", () => renew(session.access));
}

/** A refresh token works once, so that two tabs must not both use it. */
async function renew(old: string): Promise<string> {
  const session = await read("session");
  if (session === null) {
    throw new Refused(401, "request.unauthorised", "");
  }
  if (session.access !== old) {
    return session.access;
  }
  const caller = { access: null, key: null, nonce: null };
  const body = { refresh: session.refresh };
  try {
    const path = "/api/v1/sessions/renewal";
    return (await keep(await dated<Schemas["TokensOut"]>(caller, "POST", path, body))).access;
  } catch (fault) {
    if (fault instanceof Refused && fault.status === 401) {
      await erase("session");
    }
    throw fault;
  }
}

/** Ask for the server's signed time; the anchor of later times, and the nonce of proofs. */
export async function anchor(): Promise<void> {
  let start = performance.now();
  const now = await twice((token) => {
    start = performance.now();
    return call<Schemas["Now"]>({ access: token, key: null, nonce: null }, "GET", "/api/v1/time");
  });
  const rtt = Math.round(performance.now() - start);
  await write("anchor", anchorOf(now.srv, now.token, Math.min(rtt, 600_000)));
}

/** Try with the token at hand, and once more with a new one where the server knows better. */
async function twice<Answer>(ask: (token: string) => Promise<Answer>): Promise<Answer> {
  const token = await access();
  try {
    return await ask(token);
  } catch (fault) {
    if (!(fault instanceof Refused) || fault.status !== 401) {
      throw fault;
    }
    return ask(await access(token));
  }
}

/** Token and proof of a POST that does not go through here. */
export async function vouched(path: string, body: Bytes): Promise<Record<string, string>> {
  await fresh();
  const [key, nonce] = [await deviceKey(), (await read("anchor"))?.tok];
  const said = { method: "POST", path, body, jti: newId() };
  const proof = key && nonce ? { "Device-Proof": await buildProof(key, { ...said, nonce }) } : {};
  return { Authorization: `Bearer ${await access()}`, ...proof };
}

/** Anchor the clock anew when the last nonce is getting old. */
async function fresh(): Promise<void> {
  const known = await read("anchor");
  const age = performance.now() - (known?.mono ?? 0);
  // Monotonic times of another session compare with nothing.
  if (provenNow(known) === null || age > ANCHOR_MS) {
    await anchor();
  }
}

export async function get<Answer>(path: string): Promise<Answer> {
  return twice((token) => call<Answer>({ access: token, key: null, nonce: null }, "GET", path));
}

/** A call that changes something, with its Device-Proof; a stale nonce is replaced once. */
export async function post<Answer>(path: string, body: Bytes | object | null): Promise<Answer> {
  await fresh();
  try {
    return await proved<Answer>(path, body);
  } catch (fault) {
    if (!(fault instanceof Refused) || fault.code !== "device.proof_stale") {
      throw fault;
    }
    await anchor();
    return proved<Answer>(path, body);
  }
}

async function proved<Answer>(path: string, body: Bytes | object | null): Promise<Answer> {
  const [nonce, key] = [(await read("anchor"))?.tok ?? null, await deviceKey()];
  return twice((token) => call<Answer>({ access: token, key, nonce }, "POST", path, body));
}

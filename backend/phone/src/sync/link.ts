/** The line to the server: tokens renewed in time, the clock anchored, every call proved. */

import { erase, read, write } from "../store/cells.ts";
import type { Session } from "../store/cells.ts";
import type { components } from "../wire/api";
import type { Bytes } from "../wire/bytes.ts";
import { Refused, call } from "../wire/call.ts";
import { anchorOf } from "../wire/clock.ts";
import { newId } from "../wire/ids.ts";
import { keyOf } from "../wire/keys.ts";
import type { DeviceKey } from "../wire/keys.ts";
import { buildProof } from "../wire/ops.ts";

type Schemas = components["schemas"];

/** Renewed this long before a token runs out (ms). */
const EARLY_MS = 60_000;
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

export async function keep(tokens: Schemas["TokensOut"]): Promise<Session> {
  const { access, refresh, expires_at } = tokens;
  const session = { access, refresh, expires: Date.parse(expires_at) };
  await write("session", session);
  return session;
}

/** Sign in; `device` binds the tokens to an enrolled phone. */
export async function signIn(login: string, password: string, device?: string): Promise<Session> {
  const caller = { access: null, key: null, nonce: null };
  const body = device === undefined ? { login, password } : { login, password, device };
  return keep(await call<Schemas["TokensOut"]>(caller, "POST", "/api/v1/sessions", body));
}

/** A token that still lives; throws Refused where the person has to sign in again. */
async function access(): Promise<string> {
  const session = await read("session");
  if (session === null) {
    throw new Refused(401, "request.unauthorised", "");
  }
  if (session.expires - EARLY_MS > Date.now()) {
    return session.access;
  }
  return navigator.locks === undefined ? renew() : navigator.locks.request("renew", renew);
}

/** A refresh token works once, so that two tabs must not both use it. */
async function renew(): Promise<string> {
  const session = await read("session");
  if (session === null) {
    throw new Refused(401, "request.unauthorised", "");
  }
  if (session.expires - EARLY_MS > Date.now()) {
    return session.access;
  }
  const caller = { access: null, key: null, nonce: null };
  const body = { refresh: session.refresh };
  try {
    const path = "/api/v1/sessions/renewal";
    return (await keep(await call<Schemas["TokensOut"]>(caller, "POST", path, body))).access;
  } catch (fault) {
    if (fault instanceof Refused && fault.status === 401) {
      await erase("session");
    }
    throw fault;
  }
}

/** Ask for the server's signed time; the anchor of later times, and the nonce of proofs. */
export async function anchor(): Promise<void> {
  const caller = { access: await access(), key: null, nonce: null };
  const start = performance.now();
  const now = await call<Schemas["Now"]>(caller, "GET", "/api/v1/time");
  const rtt = Math.round(performance.now() - start);
  await write("anchor", anchorOf(now.srv, now.token, Math.min(rtt, 600_000)));
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
  if (known === null || age < 0 || age > ANCHOR_MS) {
    await anchor();
  }
}

export async function get<Answer>(path: string): Promise<Answer> {
  return call<Answer>({ access: await access(), key: null, nonce: null }, "GET", path);
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
  const nonce = (await read("anchor"))?.tok ?? null;
  return call<Answer>({ access: await access(), key: await deviceKey(), nonce }, "POST", path, body);
}

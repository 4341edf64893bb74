/** Making this phone the inspector's: key, approval by QR, keys of the server pinned. */

import { store } from "../store/db.ts";
import { erase, read, write } from "../store/cells.ts";
import type { components } from "../wire/api";
import { base64, hex } from "../wire/bytes.ts";
import { generateKey } from "../wire/keys.ts";
import { FIRST_PREV } from "../wire/manifest.ts";
import type { DeviceKey } from "../wire/keys.ts";
import { anchor, deviceKey, forgetKey, get, holdKey, post, signIn } from "./link.ts";

type Schemas = components["schemas"];

const CODE = /[A-Za-z0-9_-]{20,128}$/;

/** The approval code in a scanned text, or null when it is another QR. */
export function codeIn(text: string): string | null {
  return CODE.exec(text.trim())?.[0] ?? null;
}

/** What keeps this phone from working without signal; empty when nothing does. */
export type Lack = "key" | "persist" | "quota" | "worker";

const QUOTA_BYTES = 500_000_000;

/** Try what offline work needs; a lack means that captures are sent at once, not refused. */
export async function lacks(): Promise<readonly Lack[]> {
  const found: Lack[] = [];
  if ((await read("key")) === null) {
    found.push("key");
  }
  // Asked again each time: a browser agrees once the page stands on the home screen.
  const persisted = (await navigator.storage?.persisted?.()) || (await navigator.storage?.persist?.());
  if (!persisted) {
    found.push("persist");
  }
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  if (quota - usage < QUOTA_BYTES) {
    found.push("quota");
  }
  if (!("serviceWorker" in navigator)) {
    found.push("worker");
  }
  return found;
}

/** Enrol with an approval code; the password is used again to bind the session to the device. */
export async function enrol(login: string, password: string, code: string): Promise<void> {
  const key = await generateKey();
  await settle(key);
  const persisted = (await navigator.storage?.persist?.()) ?? false;
  const made = await post<Schemas["DeviceOut"]>("/api/v1/devices", {
    code,
    spki: base64(key.spki),
    user_agent: navigator.userAgent.slice(0, 400),
    platform: navigator.platform.slice(0, 100),
    persisted,
  });
  await signIn(login, password, made.id);
  const me = await get<Schemas["MeOut"]>("/api/v1/me");
  const { server, log, transport } = made.keys;
  await store.transaction("rw", store.cells, async () => {
    const epoch = hex(crypto.getRandomValues(new Uint8Array(8)));
    await write("counters", { epoch, op: 0, shot: 0, prev: FIRST_PREV });
    await write("pinned", {
      server: server.public,
      log: log.public,
      origin: log.origin,
      transport: transport.spki,
    });
    await write("identity", {
      device: made.id,
      account: me.id,
      inspector: me.inspector ?? "",
      name: me.name,
      login,
    });
  });
  await anchor();
}

/** Store the key and read it back; where a browser does not store keys, it lives with the page. */
async function settle(key: DeviceKey): Promise<void> {
  forgetKey();
  await write("key", key.pair).catch(() => erase("key"));
  const again = await deviceKey().catch(() => null);
  if (again?.kid !== key.kid) {
    await erase("key");
    holdKey(key);
  }
}

/** Whether somebody has made this phone theirs. */
export async function enrolled(): Promise<boolean> {
  return (await read("identity")) !== null;
}

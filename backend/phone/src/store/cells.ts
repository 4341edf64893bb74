/** Single values by name, each with its type. */

import type { Anchor } from "../wire/manifest.ts";
import { store } from "./db.ts";

/** Who uses this phone, and the device as the server enrolled it. */
export interface Identity {
  readonly device: string;
  readonly account: string;
  readonly inspector: string;
  readonly name: string;
  readonly login: string;
}

/** Keys of the server that were pinned at enrolment, base64url. */
export interface PinnedKeys {
  readonly server: string;
  readonly log: string;
  readonly origin: string;
  readonly transport: string;
}

/** Where the device's two gapless rows stand. */
export interface Counters {
  readonly epoch: string;
  readonly op: number;
  readonly shot: number;
  readonly prev: string;
}

export interface Session {
  readonly access: string;
  readonly refresh: string;
  readonly expires: number;
}

/** The PIN's salt and a text that only the right PIN opens; wrong tries in a row. */
export interface Lock {
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly proof: Uint8Array<ArrayBuffer>;
  readonly wrong: number;
}

/** What the line just did; `straight` is how often it failed on the way to the store in a row. */
export interface Link {
  readonly bytesPerSecond: number;
  readonly failures: number;
  readonly straight: number;
  /** When the store is tried again (ms), after it could not be reached. */
  readonly again: number;
}

export interface Cells {
  readonly key: CryptoKeyPair;
  readonly identity: Identity;
  readonly pinned: PinnedKeys;
  readonly counters: Counters;
  readonly session: Session;
  readonly anchor: Anchor & { readonly session: string };
  readonly lock: Lock;
  /** Seals small pictures where no PIN was set; this browser alone can use it. */
  readonly content: CryptoKey;
  readonly tasks: { readonly cursor: string; readonly next: number | null; readonly at: number };
  readonly receipts: number;
  readonly link: Link;
  readonly language: "zh" | "en";
  readonly theme: "system" | "light" | "dark";
}

export async function read<Name extends keyof Cells>(name: Name): Promise<Cells[Name] | null> {
  const cell = await store.cells.get(name);
  return cell === undefined ? null : (cell.value as Cells[Name]);
}

export async function write<Name extends keyof Cells>(
  name: Name,
  value: Cells[Name],
): Promise<void> {
  await store.cells.put({ name, value });
}

export async function erase(name: keyof Cells): Promise<void> {
  await store.cells.delete(name);
}

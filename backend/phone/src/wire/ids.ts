/** Ids made on the phone: UUIDv7, as everywhere. */

import { hex, number, join, unhex } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";

/** The id of an instant (ms) and 10 random bytes. */
export function uuid7(ms: number, random: Uint8Array): string {
  const bytes = join(number(ms, 6), random.subarray(0, 10));
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const digits = hex(bytes);
  return [8, 12, 16, 20, 32]
    .map((end, at, ends) => digits.slice(at ? ends[at - 1] : 0, end))
    .join("-");
}

export function newId(): string {
  return uuid7(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
}

/** The 16 bytes of an id. */
export function idBytes(id: string): Bytes {
  return unhex(id.replaceAll("-", ""));
}

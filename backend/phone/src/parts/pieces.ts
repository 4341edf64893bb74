/** A colleague's list of captures as QR codes: short enough for any lens, joined in any order. */

import { base64url, hex, join, unbase64url, unhex } from "../wire/bytes.ts";
import type { Listed } from "./record.ts";

const TAG = "MC1";
const EACH = 8;
const ID_BYTES = 16;
const LINE_BYTES = ID_BYTES + 32;
const FORM = /^MC1\|([0-9a-f-]{36})\|([0-9a-f-]{36})\|(\d{1,2})\/(\d{1,2})\|([A-Za-z0-9_-]+)$/;

export interface Part {
  readonly visit: string;
  readonly dev: string;
  readonly n: number;
  readonly all: number;
  readonly items: readonly Listed[];
}

export function codesOf(visit: string, dev: string, items: readonly Listed[]): readonly string[] {
  const all = Math.ceil(items.length / EACH);
  return Array.from({ length: all }, (_, n) => {
    const lines = items
      .slice(n * EACH, (n + 1) * EACH)
      .flatMap(({ id, sha256 }) => [unhex(id.replaceAll("-", "")), unhex(sha256)]);
    return `${TAG}|${visit}|${dev}|${n + 1}/${all}|${base64url(join(...lines))}`;
  });
}

/** What a scanned code lists, or null when it is another code. */
export function partOf(text: string): Part | null {
  const [, visit, dev, n, all, packed] = FORM.exec(text.trim()) ?? [];
  if (visit === undefined || dev === undefined || packed === undefined) {
    return null;
  }
  const bytes = unbase64url(packed);
  const items = Array.from({ length: Math.floor(bytes.length / LINE_BYTES) }, (_, line) => {
    const at = line * LINE_BYTES;
    return {
      id: spelled(hex(bytes.slice(at, at + ID_BYTES))),
      sha256: hex(bytes.slice(at + ID_BYTES, at + LINE_BYTES)),
    };
  });
  return { visit, dev, n: Number(n), all: Number(all), items };
}

function spelled(id: string): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

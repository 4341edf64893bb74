/**
 * Capture manifest v1: what is signed at the shutter.
 * Twin of media/manifest.py, which says what each field means.
 */

import { sha256 } from "./bytes.ts";
import { encode } from "./canon.ts";
import { TAG, sign } from "./keys.ts";
import type { DeviceKey } from "./keys.ts";

export type Source = "stream" | "intent" | "gallery" | "file";
export type Datum = "wgs84" | "gcj02" | "bd09" | "?";

export type Media = {
  readonly sha256: string;
  readonly size: number;
  readonly mime: string;
  readonly src: Source;
  readonly w?: number;
  readonly h?: number;
  readonly dur_ms?: number;
};

export type Anchor = {
  readonly srv: number;
  readonly mono: number;
  readonly rtt: number;
  readonly tok: string;
};

export type Times = {
  readonly wall: number;
  readonly mono: number;
  readonly session: string;
  readonly tz_min: number;
  readonly anchor: Anchor;
};

export type Location = {
  readonly st: "ok" | "denied" | "timeout" | "off";
  readonly crs: Datum;
  readonly n: number;
  readonly lat?: number;
  readonly lon?: number;
  readonly acc_cm?: number;
  readonly age_ms?: number;
};

export type Roll = {
  readonly roster: string;
  readonly present: number;
  readonly absent: number;
  readonly count: number;
};

export type Manifest = {
  readonly typ: "mingcha.capture/1";
  readonly alg: "ES256";
  readonly kid: string;
  readonly id: string;
  readonly dev: string;
  readonly inst_epoch: string;
  readonly seq: number;
  readonly prev: string;
  readonly asg: string;
  readonly asg_epoch: number;
  readonly visit: string;
  readonly org: string;
  readonly plan: string;
  readonly item: string;
  readonly media: Media;
  readonly t: Times;
  readonly loc: Location;
  readonly chal: string;
  readonly people: readonly string[];
  readonly app: { readonly ver: string; readonly build_sha256: string; readonly persisted: boolean };
  readonly code?: string;
  readonly roll?: Roll;
};

/** What stands in `prev` of a device's first capture. */
export const FIRST_PREV = "0".repeat(64);

/** A manifest with its signature; `digest` is the `prev` of the next capture. */
export type Signed = {
  readonly manifest: Manifest;
  readonly sig: string;
  readonly digest: string;
};

export async function signManifest(key: DeviceKey, manifest: Manifest): Promise<Signed> {
  const raw = encode(manifest);
  return { manifest, sig: await sign(key, TAG.capture, raw), digest: await sha256(raw) };
}

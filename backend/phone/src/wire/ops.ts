/**
 * Operations as they are sent, and the proof beside a call.
 * Twin of media/ops.py (build_op, build_proof).
 */

import { base64url, sha256 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { encode } from "./canon.ts";
import type { Canonical } from "./canon.ts";
import { TAG, sign } from "./keys.ts";
import type { DeviceKey } from "./keys.ts";

export type Body = { readonly [key: string]: Canonical | undefined };

/** Everything of an envelope but body, digest and signature. */
export interface Head {
  readonly op_id: string;
  readonly dev: string;
  readonly inst_epoch: string;
  readonly seq: number;
  readonly kind: string;
  readonly base: { readonly asg_epoch: number; readonly plan: string };
}

/** The exact bytes of one signed operation. */
export async function buildOp(key: DeviceKey, head: Head, body: Body): Promise<Bytes> {
  const digest = await sha256(encode(body));
  const signed = { ...head, base: { ...head.base }, digest };
  const sig = await sign(key, TAG.op, encode(signed));
  return encode({ ...signed, body, sig });
}

/** The Device-Proof header of one call; `nonce` is a time token, `path` has no query. */
export async function buildProof(
  key: DeviceKey,
  call: { method: string; path: string; body: Bytes; nonce: string; jti: string },
): Promise<string> {
  const raw = encode({
    body_sha256: await sha256(call.body),
    jti: call.jti,
    method: call.method,
    nonce: call.nonce,
    path: call.path,
  });
  return `${base64url(raw)}.${await sign(key, TAG.request, raw)}`;
}

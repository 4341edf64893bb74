/**
 * What is checked before a single byte is freed: signature, form, and the way to a signed head.
 * Twin of media/receipt.py, media/checkpoint.py and media/merkle.py (includes).
 */

import { base64, equal, hex, join, number, unbase64, unbase64url, unhex, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { encode } from "./canon.ts";
import { TAG, signedByServer } from "./keys.ts";

/** Keys that were pinned at enrolment: the server's, and the log's with its name. */
export interface Pinned {
  readonly server: Bytes;
  readonly log: Bytes;
  readonly origin: string;
}

export type Receipt = {
  readonly typ: "mingcha.receipt/1";
  readonly kid: string;
  readonly id: string;
  readonly sha256: string;
  readonly size: number;
  readonly state: string;
  readonly flags: readonly string[];
  readonly t: number;
  readonly leaf_index?: number;
  readonly leaf?: string;
  readonly proof?: readonly string[];
  readonly checkpoint?: string;
};

const EPOCH = /^\/epoch-[0-9]{8}T[0-9]{6}Z$/;
const ED25519 = number(1, 1);

/** The receipt, when the server signed it and a sealed one leads to a head of the log; else null. */
export async function readReceipt(
  raw: string,
  signature: string,
  pinned: Pinned,
): Promise<Receipt | null> {
  const bytes = utf8(raw);
  const signed = join(TAG.receipt, bytes);
  if (!(await signedByServer(pinned.server, unbase64url(signature), signed))) {
    return null;
  }
  const receipt = JSON.parse(raw) as Receipt;
  if (!equal(encode(receipt), bytes) || receipt.typ !== "mingcha.receipt/1") {
    return null;
  }
  if (receipt.state !== "sealed") {
    return receipt.leaf === undefined ? receipt : null;
  }
  return (await isInLog(receipt, pinned)) ? receipt : null;
}

async function isInLog(receipt: Receipt, pinned: Pinned): Promise<boolean> {
  const { leaf, leaf_index: index, proof, checkpoint } = receipt;
  if (leaf === undefined || index === undefined || !proof || checkpoint === undefined) {
    return false;
  }
  const head = await readHead(checkpoint, pinned);
  return head !== null && includes(unhex(leaf), index, head.size, proof.map(unhex), head.root);
}

interface Head {
  readonly size: number;
  readonly root: Bytes;
}

/** The head of a C2SP note that the log's key signed, of the log itself or one of its epochs. */
async function readHead(note: string, pinned: Pinned): Promise<Head | null> {
  const cut = note.indexOf("\n\n");
  const text = note.slice(0, cut);
  const [origin, size, root, more] = text.split("\n");
  if (cut < 0 || origin === undefined || size === undefined || root === undefined || more) {
    return null;
  }
  const epoch = origin.slice(pinned.origin.length);
  if (!origin.startsWith(pinned.origin) || (epoch !== "" && !EPOCH.test(epoch))) {
    return null;
  }
  const wanted = await noteKeyId(origin, pinned.log);
  for (const line of note.slice(cut + 2).split("\n")) {
    const [dash, name, stamp] = line.split(" ");
    if (dash === "—" && name === origin && stamp !== undefined) {
      const bytes = unbase64(stamp);
      const mine = hex(bytes.subarray(0, 4)) === wanted;
      if (mine && (await signedByServer(pinned.log, bytes.slice(4), utf8(`${text}\n`)))) {
        const head = { size: Number(size), root: unbase64(root) };
        return base64(head.root) === root && Number.isSafeInteger(head.size) ? head : null;
      }
    }
  }
  return null;
}

async function noteKeyId(name: string, key: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", join(utf8(`${name}\n`), ED25519, key));
  return hex(new Uint8Array(digest)).slice(0, 8);
}

/** Whether `proof` leads from a leaf hash at `index` to the root of `size` leaves (RFC 9162). */
export async function includes(
  leaf: Bytes,
  index: number,
  size: number,
  proof: readonly Bytes[],
  root: Bytes,
): Promise<boolean> {
  if (!(index >= 0 && index < size)) {
    return false;
  }
  let [position, last, value] = [index, size - 1, leaf];
  const up = (): void => {
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  };
  for (const sibling of proof) {
    if (last === 0) {
      return false;
    }
    if (position % 2 === 1 || position === last) {
      value = await node(sibling, value);
      while (position % 2 === 0 && position > 0) {
        up();
      }
    } else {
      value = await node(value, sibling);
    }
    up();
  }
  return last === 0 && equal(value, root);
}

async function node(left: Bytes, right: Bytes): Promise<Bytes> {
  const made = await crypto.subtle.digest("SHA-256", join(ED25519, left, right));
  return new Uint8Array(made);
}

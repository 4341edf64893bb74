/**
 * What the phone keeps. Bytes lie in records of 1 MiB, never as files: a stored file is sent as an
 * empty body by some browsers.
 */

import { Dexie } from "dexie";
import type { EntityTable, Table } from "dexie";
import type { Answer, Sheet } from "../core/sheet.ts";
import type { components } from "../wire/api";
import type { Bytes } from "../wire/bytes.ts";
import type { Manifest } from "../wire/manifest.ts";

export type Task = components["schemas"]["Task"];
export type MarkState = "present" | "absent" | "late" | "excused";

/** One value by name: identity, counters, settings; see `Meta`. */
export interface Cell {
  readonly name: string;
  readonly value: unknown;
}

/** A task as last fetched; `expires` is when its persons are forgotten (ms). */
export interface KeptTask {
  readonly visit: string;
  readonly task: Task;
  readonly fetched: number;
  readonly expires: number;
  readonly gone: boolean;
  /** The state in which the server said that it is no open task any more. */
  readonly over?: string;
  /** A later version of the sheet, which a visit that was begun here does not take. */
  readonly newer?: string;
}

export interface KeptSheet {
  readonly digest: string;
  readonly sheet: Sheet;
}

/** The latest answer of this phone to one item; what is sent is made of these. */
export interface KeptAnswer {
  readonly visit: string;
  readonly item: string;
  readonly answer: Answer;
  readonly at: number;
  /** Number of the operation that carries it; 0 while none does. */
  readonly op: number;
}

export interface KeptMark {
  readonly visit: string;
  readonly trainee: string;
  readonly state: MarkState;
  readonly at: number;
}

export type OpState = "waiting" | "applied" | "refused" | "conflict";

/** One signed operation, sent as these very bytes however often; `seq` counts within `epoch`. */
export interface KeptOp {
  readonly id: string;
  readonly epoch: string;
  readonly seq: number;
  readonly visit: string;
  readonly kind: string;
  readonly bytes: Bytes;
  readonly state: OpState;
  readonly at: number;
  /** What the server said last: a code, or what is still needed. */
  readonly told?: string;
}

export type CaptureState = "kept" | "sent" | "sealed" | "freed" | "withdrawn";

/** One capture: what was signed, and where its sealed bytes are on their way. */
export interface KeptCapture {
  readonly id: string;
  readonly visit: string;
  readonly item: string;
  readonly seq: number;
  readonly at: number;
  readonly manifest: Manifest;
  readonly sig: string;
  /** Bytes on the wire: hash and size of the sealed blob, its key for the server alone. */
  readonly wire: { readonly sha256: string; readonly size: number; readonly wrapped: string };
  /** The blob's key under the PIN, for looking at it here; absent where no PIN was set. */
  readonly local?: Bytes;
  /** A small picture, sealed for this phone. */
  readonly preview?: Bytes;
  /** The operation that declares it. */
  readonly op: string;
  readonly state: CaptureState;
  readonly sent: number;
  readonly tries: number;
  readonly next: number;
  readonly error?: string;
  /** It goes over mobile data too, because the person said so. */
  readonly anyway?: boolean;
  /** Why it was withdrawn. */
  readonly why?: string;
  /** When the bytes may go: 7 days after a checked receipt (ms, the server's time). */
  readonly free?: number;
}

/** One sealed chunk of a capture. */
export interface KeptChunk {
  readonly id: string;
  readonly n: number;
  readonly bytes: Bytes;
}

export type Happened =
  | "kept"
  | "sent"
  | "sealed"
  | "freed"
  | "withdrawn"
  | "exported"
  | "refused"
  | "resent"
  | "forgotten"
  | "locked"
  | "fault";

/** What happened, for the person and for support; no names, no content. */
export interface Line {
  readonly at: number;
  readonly what: Happened;
  /** A capture's item, a code, or a count. */
  readonly about: string;
}

/** Under memory pressure a browser closes the database: the next question opens it again. */
export class Store extends Dexie {
  declare cells: EntityTable<Cell, "name">;
  declare tasks: EntityTable<KeptTask, "visit">;
  declare sheets: EntityTable<KeptSheet, "digest">;
  declare answers: Table<KeptAnswer, [string, string]>;
  declare marks: Table<KeptMark, [string, string]>;
  declare ops: EntityTable<KeptOp, "id">;
  declare captures: EntityTable<KeptCapture, "id">;
  declare chunks: Table<KeptChunk, [string, number]>;
  declare journal: Table<Line, number>;

  constructor(name = "mingcha") {
    // Without Dexie's cache: it shows rows before they are on the disk.
    super(name, { chromeTransactionDurability: "strict", cache: "disabled" });
    this.version(1).stores({
      cells: "name",
      tasks: "visit",
      sheets: "digest",
      answers: "[visit+item], visit, op",
      marks: "[visit+trainee], visit",
      ops: "id, visit, state",
      captures: "id, visit, state, [visit+item]",
      chunks: "[id+n], id",
      journal: "++, at",
    });
  }
}

export const store = new Store();

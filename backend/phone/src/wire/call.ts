/** One call to the server: token, proof of the device, and a refusal as a value with its code. */

import type { Bytes } from "./bytes.ts";
import { utf8 } from "./bytes.ts";
import { newId } from "./ids.ts";
import type { DeviceKey } from "./keys.ts";
import { buildProof } from "./ops.ts";

/** What a call is made with; `nonce` is a time token, `key` is absent before enrolment. */
export interface Caller {
  readonly access: string | null;
  readonly key: DeviceKey | null;
  readonly nonce: string | null;
}

/** The server's refusal in its own words; `status` 0 means that no answer came. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  /** What to do about it, in the language of the page. */
  readonly todo: string;
  /** Seconds to wait before the same call can succeed. */
  readonly retryAfter: number;

  constructor(status: number, code: string, title: string, todo = "", retryAfter = 0) {
    super(title);
    this.status = status;
    this.code = code;
    this.todo = todo;
    this.retryAfter = retryAfter;
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly todo?: string;
}

/** An answer beside the server's own clock (ms), so that its times compare with one another. */
export interface Dated<Answer> {
  readonly answer: Answer;
  readonly at: number;
}

const TIMEOUT_MS = 30_000;

/** The answer's JSON; throws Refused. Every answer's body is read to its end. */
export async function call<Answer>(
  caller: Caller,
  method: "GET" | "POST",
  path: string,
  body: Bytes | object | null = null,
): Promise<Answer> {
  return (await dated<Answer>(caller, method, path, body)).answer;
}

/** Like `call`, with the time at which the server answered. */
export async function dated<Answer>(
  caller: Caller,
  method: "GET" | "POST",
  path: string,
  body: Bytes | object | null = null,
): Promise<Dated<Answer>> {
  const sent = body === null || body instanceof Uint8Array ? body : utf8(JSON.stringify(body));
  const headers: Record<string, string> = { "Accept-Language": document.documentElement.lang };
  if (sent !== null) {
    headers["Content-Type"] = "application/json";
  }
  if (caller.access !== null) {
    headers["Authorization"] = `Bearer ${caller.access}`;
  }
  if (method !== "GET" && caller.key !== null && caller.nonce !== null) {
    const said = { method, path: path.split("?")[0]!, body: sent ?? new Uint8Array() };
    const proof = { ...said, nonce: caller.nonce, jti: newId() };
    headers["Device-Proof"] = await buildProof(caller.key, proof);
  }
  const answer = await reach(path, { method, headers, body: sent, cache: "no-store" });
  const text = await answer.text();
  if (!answer.ok) {
    throw refusal(answer, text);
  }
  const at = Date.parse(answer.headers.get("Date") ?? "") || Date.now();
  return { answer: (text === "" ? null : JSON.parse(text)) as Answer, at };
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), TIMEOUT_MS);
  try {
    return await fetch(path, { ...init, signal: late.signal });
  } catch (fault) {
    throw new Refused(0, "offline", String(fault));
  } finally {
    clearTimeout(timer);
  }
}

function refusal(answer: Response, text: string): Refused {
  const wait = Number(answer.headers.get("Retry-After") ?? 0);
  let told: Problem = {};
  try {
    told = JSON.parse(text) as Problem;
  } catch {
    // A proxy in between answers in its own form; the status is all there is.
  }
  const code = told.code ?? "unknown";
  return new Refused(answer.status, code, told.title ?? String(answer.status), told.todo, wait);
}

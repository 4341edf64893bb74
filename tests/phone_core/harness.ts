/** Answers one question about many cases: JSON in on stdin, JSON out on stdout. */

import { readFileSync } from "node:fs";
import { evaluate } from "../../backend/phone/src/core/expression.ts";
import type { Known, Tree } from "../../backend/phone/src/core/expression.ts";

interface Asked {
  readonly name: string;
  readonly cases: readonly Record<string, unknown>[];
}

type Ask = (one: Record<string, unknown>) => unknown;

const QUESTIONS: ReadonlyMap<string, Ask> = new Map<string, Ask>([
  ["evaluate", (one) => evaluate(one["tree"] as Tree, one["known"] as Known)],
]);

const { name, cases } = JSON.parse(readFileSync(0, "utf-8")) as Asked;
const ask = QUESTIONS.get(name);
if (ask === undefined) {
  throw new Error(`no question ${name}`);
}
process.stdout.write(JSON.stringify(await Promise.all(cases.map(ask))));

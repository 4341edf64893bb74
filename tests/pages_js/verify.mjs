// The verifier of the public page behind JSON lines: {text, heads, keys} in, codes out.

import { createInterface } from "node:readline";

import { DrawError } from "../../backend/pages/assets/draw/errors.js";
import { load } from "../../backend/pages/assets/draw/load.js";
import { coded, verify } from "../../backend/pages/assets/draw/verify.js";

function report({ text, heads, keys }) {
  try {
    const record = load(text);
    return record === null ? null : coded(verify(record, { heads, keys }));
  } catch (fault) {
    if (fault instanceof DrawError) return fault.code;
    throw fault;
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() !== "") process.stdout.write(`${JSON.stringify(report(JSON.parse(line)))}\n`);
}

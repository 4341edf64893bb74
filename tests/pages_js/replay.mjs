// The draw in JavaScript behind the reference interface: JSON lines in, one answer a line out.

import { createInterface } from "node:readline";

import { answerLine } from "../../backend/pages/assets/draw/replay.js";

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() !== "") process.stdout.write(`${answerLine(line)}\n`);
}

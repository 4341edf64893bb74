/** An answer's value in words, as the person reads it and not as it is stored. */

import type { Item, Part } from "../core/sheet.ts";
import { either, say } from "../texts/index.ts";

const YES_NO = { yes: "part.yes", no: "part.no", na: "part.na" } as const;

/** Each part that was given, one after the other; empty for none. */
export function answerWords(item: Item | undefined, value: unknown): string {
  const given = (value ?? {}) as Record<string, unknown>;
  const parts = (item?.answer ?? []).filter((part) => given[part.name] !== undefined);
  return parts.map((part) => partWords(part, given[part.name])).join("; ");
}

function partWords(part: Part, value: unknown): string {
  const label = either(part);
  return label === "" ? plain(part, value) : `${label}: ${plain(part, value)}`;
}

function plain(part: Part, value: unknown): string {
  if (Array.isArray(value)) {
    return value.map((code) => option(part, String(code))).join(", ");
  }
  if (typeof value === "object" && value !== null) {
    return Object.values(value).join(" / ");
  }
  const word = YES_NO[value as keyof typeof YES_NO];
  return part.type === "yes_no_na" && word !== undefined ? say(word) : option(part, String(value));
}

function option(part: Part, code: string): string {
  const found = "options" in part ? part.options?.find((one) => one.code === code) : undefined;
  return found === undefined ? code : either(found);
}

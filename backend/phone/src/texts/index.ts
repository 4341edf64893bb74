/** Words of the application: one flat table a language, no sentence in code. */

import { ref } from "vue";
import zh from "./zh.json";

export type Language = "zh" | "en";
export type Key = keyof typeof zh;
type Table = Readonly<Record<Key, string>>;

const tables: Partial<Record<Language, Table>> = { zh };
const language = ref<Language>("zh");

/** Speak another language; its table comes with the shell and needs no signal. */
export async function speak(wanted: Language): Promise<void> {
  if (wanted === "en" && tables.en === undefined) {
    tables.en = (await import("./en.json")).default;
  }
  language.value = wanted;
  document.documentElement.lang = wanted === "en" ? "en" : "zh-CN";
}

export function spoken(): Language {
  return language.value;
}

/** The text of a key with its facts filled in. */
export function say(key: Key, facts: Readonly<Record<string, string | number>> = {}): string {
  const text = (tables[language.value] ?? zh)[key];
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => String(facts[name] ?? ""));
}

/** The Chinese or English half of a text that the rules bring. */
export function either(both: { readonly zh?: string | null; readonly en?: string | null }): string {
  return (language.value === "en" ? both.en : both.zh) ?? both.zh ?? "";
}

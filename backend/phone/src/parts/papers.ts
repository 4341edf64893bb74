/** The papers of a visit beside its sheet: what each asks for, and the operation it becomes. */

import type { Key } from "../texts/index.ts";
import type { Body } from "../wire/ops.ts";
import type { Handbook } from "./handbook.ts";
import type { PaperKind } from "./paperKinds.ts";

export type Mode = "photo" | "document" | "video" | "audio";

type Said = Handbook["questions"]["rights"];

export interface Field {
  readonly name: string;
  readonly label: Key;
  readonly form: "line" | "long" | "number" | "tick";
  readonly most: number;
  readonly optional?: boolean;
}

export interface Thing {
  name: string;
  count: string;
  condition: string;
}

export interface PaperDraft {
  words: Record<string, string>;
  ticks: Record<string, boolean>;
  choice: string;
  questions: { q: string; a: string }[];
  things: Thing[];
  evidence: string[];
}

export interface Paper {
  readonly op: string;
  /** Under what the captures of this paper are filed. */
  readonly item: string;
  readonly modes: readonly Mode[];
  readonly evidence: "needed" | "possible" | "none";
  /** A sentence to read out before. */
  readonly told?: "rights" | "obstruction" | "preservation";
  readonly choices?: readonly { readonly code: string; readonly text: Key }[];
  readonly fields: readonly Field[];
  readonly body: (draft: PaperDraft) => Body;
}

export function blank(): PaperDraft {
  return { words: {}, ticks: {}, choice: "", questions: [], things: [], evidence: [] };
}

function line(name: string, label: Key, most: number, optional = false): Field {
  return { name, label, form: "line", most, ...(optional ? { optional } : {}) };
}

function long(name: string, label: Key, most: number): Field {
  return { name, label, form: "long", most };
}

/** What was typed under a name, left out where it is empty. */
function typed(draft: PaperDraft, name: string): Record<string, string> {
  const text = (draft.words[name] ?? "").trim();
  return text === "" ? {} : { [name]: text };
}

function held(draft: PaperDraft): Body {
  return draft.evidence.length === 0 ? {} : { evidence: [...draft.evidence] };
}

export const PAPER: Readonly<Record<PaperKind, Paper>> = {
  interview: {
    op: "interview.record",
    item: "interview",
    modes: ["audio", "video", "document"],
    evidence: "possible",
    told: "rights",
    choices: [
      { code: "teacher", text: "paper.role.teacher" },
      { code: "trainee", text: "paper.role.trainee" },
      { code: "staff", text: "paper.role.staff" },
      { code: "manager", text: "paper.role.manager" },
      { code: "other", text: "paper.role.other" },
    ],
    fields: [line("name", "paper.name", 40)],
    body: (draft) => ({
      role: draft.choice,
      formal: true,
      questions: draft.questions
        .map(({ q, a }) => ({ q: q.trim(), a: a.trim() }))
        .filter(({ q, a }) => q !== "" && a !== ""),
      ...typed(draft, "name"),
      ...held(draft),
    }),
  },
  copy: {
    op: "document.copy",
    item: "paper",
    modes: ["document"],
    evidence: "needed",
    fields: [
      line("title", "paper.copy_title", 200),
      line("holder", "paper.holder", 200),
      { name: "pages", label: "paper.pages", form: "number", most: 5 },
      { name: "compared", label: "paper.compared", form: "tick", most: 1 },
    ],
    body: (draft) => ({
      ...typed(draft, "title"),
      ...typed(draft, "holder"),
      pages: Number(draft.words["pages"]),
      compared: draft.ticks["compared"] ?? false,
      ...held(draft),
    }),
  },
  preservation: {
    op: "preservation.list",
    item: "paper",
    modes: ["photo", "document"],
    evidence: "possible",
    told: "preservation",
    fields: [line("place", "paper.kept_at", 200), line("keeper", "paper.keeper", 40)],
    body: (draft) => ({
      things: draft.things.map((thing) => ({ ...thing })),
      ...typed(draft, "place"),
      ...typed(draft, "keeper"),
      ...held(draft),
    }),
  },
  extraction: {
    op: "data.extract",
    item: "paper",
    modes: ["document", "video", "photo"],
    evidence: "needed",
    fields: [
      line("system", "paper.system", 200),
      line("holder", "paper.operator", 200),
      long("way", "paper.way", 400),
      long("content", "paper.content", 4000),
      line("witness", "paper.witness", 40, true),
    ],
    body: (draft) => ({
      ...typed(draft, "system"),
      ...typed(draft, "holder"),
      ...typed(draft, "way"),
      ...typed(draft, "content"),
      ...typed(draft, "witness"),
      ...held(draft),
    }),
  },
  obstruction: {
    op: "obstruction.record",
    item: "obstruction",
    modes: ["video", "audio", "photo"],
    evidence: "none",
    told: "obstruction",
    choices: [
      { code: "refused", text: "paper.outcome.refused" },
      { code: "closed", text: "paper.outcome.closed" },
      { code: "unreachable", text: "paper.outcome.unreachable" },
    ],
    fields: [long("text", "paper.happened", 4000), line("witness", "paper.witness", 40, true)],
    body: (draft) => ({
      outcome: draft.choice,
      ...typed(draft, "text"),
      ...typed(draft, "witness"),
    }),
  },
  recusal: {
    op: "recusal.declare",
    item: "paper",
    modes: [],
    evidence: "none",
    fields: [long("ground", "paper.ground", 400)],
    body: (draft) => ({ ...typed(draft, "ground") }),
  },
};

/** What a fresh paper begins with: a formal interview with the questions that are always asked. */
export function begin(
  kind: PaperKind,
  book: Handbook | null,
  say: (both: Said) => string,
): PaperDraft {
  const made = blank();
  if (kind === "interview") {
    made.questions = (book?.questions.formal ?? []).map((one) => ({ q: say(one), a: "" }));
  }
  if (kind === "preservation") {
    made.things = [{ name: "", count: "", condition: "" }];
  }
  return made;
}

/** Whether everything that the paper asks for is there. */
export function isWhole(kind: PaperKind, draft: PaperDraft): boolean {
  const paper = PAPER[kind];
  const fields = paper.fields.every(
    ({ name, form, optional }) =>
      optional === true ||
      form === "tick" ||
      (form === "number" ? /^[1-9]\d{0,3}$/ : /\S/).test(draft.words[name] ?? ""),
  );
  const asked =
    kind !== "interview" || draft.questions.some(({ q, a }) => q.trim() !== "" && a.trim() !== "");
  const things =
    kind !== "preservation" ||
    (draft.things.length > 0 && draft.things.every((one) => one.name && one.count && one.condition));
  const evidence = paper.evidence !== "needed" || draft.evidence.length > 0;
  return fields && asked && things && evidence && (paper.choices === undefined || draft.choice !== "");
}

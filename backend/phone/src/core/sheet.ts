/**
 * A sheet as the task bundle carries it: the rules' records as JSON, defaults left out.
 * Twin of inspection_plans/sheets.py.
 */

import type { Tree } from "./expression.ts";

export type Verdict = "pass" | "fail" | "not_applicable" | "could_not_check";

export interface Option {
  readonly code: string;
  readonly zh: string;
  readonly en: string;
  readonly mark: "pass" | "fail" | "question" | "required";
}

export interface Field {
  readonly name: string;
  readonly zh: string;
  readonly en: string;
  readonly min?: number | null;
}

interface Named {
  readonly name: string;
  readonly zh?: string | null;
  readonly en?: string | null;
}

export interface Choice extends Named {
  readonly type: "choice";
  readonly options: readonly Option[];
}

export interface MultiChoice extends Named {
  readonly type: "multi_choice";
  readonly rule: "all_of" | "none_of";
  readonly options: readonly Option[];
}

export interface Count extends Named {
  readonly type: "count";
  readonly fields: readonly Field[];
  readonly at_most?: readonly (readonly [string, string])[];
}

export interface Ratio extends Named {
  readonly type: "ratio";
  readonly min?: string | null;
}

export interface Sample extends Named {
  readonly type: "sample";
  readonly n: number;
  readonly population?: "typed" | "roster" | "lessons";
}

export interface Scale extends Named {
  readonly type: "scale";
  readonly lowest: number;
  readonly highest: number;
}

export interface Plain extends Named {
  readonly type: "yes_no_na" | "text" | "location";
}

export type Part = Choice | MultiChoice | Count | Ratio | Sample | Scale | Plain;

export interface Requirement {
  readonly kind: string;
  readonly n?: number;
  readonly by?: "inspector" | "platform";
  readonly when?: "always" | "fail";
  readonly given?: Tree | null;
}

export interface Constraint {
  readonly holds: Tree;
  readonly zh: string;
  readonly en: string;
}

export interface Item {
  readonly code: string;
  readonly zh: string;
  readonly en: string;
  readonly section?: string | null;
  readonly answer: readonly Part[];
  readonly clauses?: readonly string[];
  readonly evidence?: readonly Requirement[];
  readonly relevant?: Tree | null;
  readonly constraints?: readonly Constraint[];
  readonly required?: boolean;
}

export interface Section {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
}

export interface Sheet {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly sections?: readonly Section[];
  readonly items: readonly Item[];
}

export type Value = Readonly<Record<string, unknown>>;

/** One answer: a value by the names of the item's parts, or a skip instead of a value. */
export interface Answer {
  readonly item: string;
  readonly value?: Value | null;
  readonly skip?: "not_applicable" | "could_not_check" | null;
  readonly reason?: string;
  readonly without?: string;
}

export function findItem(sheet: Sheet, code: string): Item | undefined {
  return sheet.items.find((item) => item.code === code);
}

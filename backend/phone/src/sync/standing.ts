/** What the server knows of a visit beside this phone: who holds what, and where devices differ. */

import type { components } from "../wire/api";
import { Refused } from "../wire/call.ts";
import { get, post } from "./link.ts";

type Schemas = components["schemas"];
export type Disagreement = Schemas["Disagreement"];

export interface Standing {
  readonly holders: readonly Schemas["Holder"][];
  /** How many items the devices answer differently, with no choice made yet. */
  readonly differ: number;
}

/** Null where the server cannot be asked now. */
export async function standingOf(visit: string): Promise<Standing | null> {
  try {
    const path = `/api/v1/tasks/${visit}`;
    const { holders } = await get<Schemas["HoldersOut"]>(`${path}/holders`);
    const { disagreements } = await get<Schemas["DisagreementsOut"]>(`${path}/disagreements`);
    return { holders, differ: disagreements.filter((one) => one.choice === null).length };
  } catch (fault) {
    if (!(fault instanceof Refused)) {
      throw fault;
    }
    return null;
  }
}

/** Where the devices of a visit differ. Throws Refused. */
export async function differences(visit: string): Promise<readonly Disagreement[]> {
  const path = `/api/v1/tasks/${visit}/disagreements`;
  return (await get<Schemas["DisagreementsOut"]>(path)).disagreements;
}

/** Whose answer counts: a device's, or both where it is null. Throws Refused. */
export async function choose(visit: string, item: string, keep: string | null): Promise<void> {
  const body = { item, reason: "", ...(keep === null ? {} : { keep }) };
  await post(`/api/v1/tasks/${visit}/disagreements`, body);
}

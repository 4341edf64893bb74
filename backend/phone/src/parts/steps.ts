/** The steps of a visit in their order, and how far each of them is. */

import type { Task } from "../store/db.ts";
import { say } from "../texts/index.ts";
import type { Key } from "../texts/index.ts";
import type { Deeds } from "./deeds.ts";
import type { Visit } from "./visit.ts";

export interface Step {
  readonly name: string;
  readonly text: Key;
  readonly told: string;
  readonly done: boolean;
  /** Whether a record is not whole without it. */
  readonly must: boolean;
}

const PAPERS = ["interview.record", "document.copy", "preservation.list", "data.extract"];

export function steps(task: Task, visit: Visit, deeds: Deeds, called: number): readonly Step[] {
  const { asked, openItems, owed } = visit;
  const answered = asked.value.filter((item) => visit.judged.value.has(item.code)).length;
  const rolls = deeds.of("rollcall.record").length;
  const anonymous = deeds.of("interview.record").filter((deed) => deed.body["formal"] === false).length;
  const papers = deeds.all.value.filter((deed) => PAPERS.includes(deed.kind)).length - anonymous;
  const arrived = deeds.kinds.value.has("visit.checkin");
  const shown = deeds.kinds.value.has("certificate.shown");
  const sent = deeds.kinds.value.has("visit.finalize");
  const roster = task.roster?.trainees.length ?? 0;
  const list: Step[] = [
    {
      name: "arrival",
      text: "checkin.title",
      told: arrived && shown ? say("step.done") : say(arrived ? "step.licence" : "step.open"),
      done: arrived && shown,
      must: true,
    },
    {
      name: "checklist",
      text: "step.checklist",
      told: say("step.of", { done: answered, all: asked.value.length }),
      done: asked.value.length > 0 && openItems.value.length + owed.value.length === 0,
      must: true,
    },
    {
      name: "roll",
      text: "roll.title",
      told: rolls > 0 ? say("step.done") : say("step.of", { done: called, all: roster }),
      done: rolls > 0,
      must: true,
    },
    {
      name: "ask",
      text: "ask.title",
      told: anonymous === 0 ? "" : say("step.count", { n: anonymous }),
      done: anonymous > 0,
      must: false,
    },
    { name: "advert", text: "advert.title", told: "", done: false, must: false },
    {
      name: "papers",
      text: "papers.title",
      told: papers === 0 ? "" : say("step.count", { n: papers }),
      done: papers > 0,
      must: false,
    },
    {
      name: "record",
      text: "record.title",
      told: say(sent ? "step.sent" : "step.open"),
      done: sent,
      must: true,
    },
  ];
  return roster === 0 ? list.filter((step) => step.name !== "roll") : list;
}

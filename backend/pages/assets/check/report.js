/** A report as a page part: verdict first, then check by check, then what nobody can tell. */

import { element, fill, headline, sentenceOf } from "./say.js";

const TONES = { verified: "ok", failed: "danger", unverifiable: "warn" };
const STATES = { ok: "ok", bad: "danger", skipped: "none" };

function verdictOf({ report, outside, from }, words, labels) {
  const tone = TONES[report.verdict];
  const title = element("h2", "", headline(words.verdicts[report.verdict]));
  title.id = "verdict";
  title.tabIndex = -1;
  const box = element("div", `verdict ${tone}`, title);
  if (report.level !== null) {
    const level = headline(`${words.headings.level} ${report.level}`);
    const meaning = words.levels[report.level];
    box.append(element("p", "", element("strong", "", level), ` · ${meaning}`));
  }
  box.append(element("p", "", fill(labels.checked, { draw: outside.draw, from })));
  return box;
}

function checkItem(name, report, words, labels) {
  const state = report.checks[name] ?? "skipped";
  const item = element("li", "");
  item.dataset.check = name;
  item.dataset.state = state;
  const tag = element("span", `tag ${STATES[state]}`, labels[state]);
  item.append(element("span", "check", headline(words.checks[name]), " ", tag));
  const failures = report.failures.filter(({ code }) => code.startsWith(`${name}.`));
  // A wrong record can be wrong a thousand times in one way; the first ones tell it.
  const sentences = failures.slice(0, 20).map((one) => sentenceOf(words, labels.terms, one));
  const shown = sentences.map((sentence) => element("li", "", sentence));
  if (failures.length > shown.length) {
    shown.push(element("li", "muted", fill(labels.more, { n: failures.length - shown.length })));
  }
  if (shown.length > 0) item.append(element("ul", "", ...shown));
  return item;
}

function section(title, ...children) {
  return element("section", "", element("h3", "", headline(title)), ...children);
}

function notesOf({ notes }, words, labels) {
  const items = notes.map((note) => element("li", "", sentenceOf(words, labels.terms, note)));
  return section(words.headings.unchecked, element("ul", "", ...items));
}

function standingsOf({ standings }, words) {
  const rows = Object.entries(standings).flatMap(([id, standing]) => [
    element("dt", "", id),
    element("dd", "", words.standings[standing]),
  ]);
  return rows.length === 0 ? [] : [section(words.headings.rows, element("dl", "", ...rows))];
}

function outsideOf({ head, keys }, words, labels) {
  if (head === null) return [];
  const rows = [
    element("dt", "", headline(words.headings.head)),
    element("dd", "", element("code", "", head)),
  ];
  for (const [party, key] of keys) {
    rows.push(element("dt", "", headline(`${words.headings.key} ${party}`)));
    rows.push(element("dd", "", element("code", "", key)));
  }
  return [section(labels.compare, element("dl", "tall", ...rows))];
}

/**
 * The elements of a report. `found` is {report, outside, from}: the worker's answer and where the
 * record came from; `labels` are the words that the page itself has for it.
 */
export function reportOf(found, words, labels) {
  const { report, outside } = found;
  const names = Object.keys(words.checks);
  const items = names.map((name) => checkItem(name, report, words, labels));
  return [
    verdictOf(found, words, labels),
    section(labels.checks, element("ol", "checks", ...items)),
    notesOf(report, words, labels),
    ...standingsOf(report, words),
    ...outsideOf(outside, words, labels),
  ];
}

/** The page "check it yourself": gets a record, hands it to the worker, shows what it says. */

import { reportOf } from "./report.js";
import { element, fill } from "./say.js";

const form = document.getElementById("check");
const result = document.getElementById("result");
const status = document.getElementById("status");
const bar = document.getElementById("progress");
const words = JSON.parse(document.getElementById("words").textContent);
const labels = JSON.parse(document.getElementById("labels").textContent);
const order = Object.keys(words.checks);
let worker = null;

/** An outcome that is a sentence for the reader, not a fault of ours. */
class Told extends Error {}

function say(text) {
  status.textContent = text;
}

function fail(sentence) {
  bar.hidden = true;
  say("");
  const box = element("div", "error", element("p", "", sentence));
  box.setAttribute("role", "alert");
  result.replaceChildren(box);
}

async function fetched(address) {
  const answer = await fetch(address).catch(() => {
    throw new Told(labels.offline);
  });
  if (answer.status === 404) throw new Told(labels.absent);
  if (!answer.ok) throw new Told(fill(labels.refused, { status: answer.status }));
  return answer.text();
}

/** The text of a record and where it came from: a chosen file goes before the page's own draw. */
async function chosen() {
  const [file] = form.elements.file.files;
  if (file !== undefined) return { text: await file.text(), from: file.name };
  if (!form.dataset.record) throw new Told(labels.nothing);
  return { text: await fetched(form.dataset.record), from: labels.published };
}

function headsGiven() {
  const given = form.elements.head.value.toLowerCase().match(/[0-9a-f]+/g) ?? [];
  return given.length === 0 ? [] : [given.join("")];
}

function show(found) {
  bar.hidden = true;
  say("");
  result.replaceChildren(...reportOf(found, words, labels));
  document.getElementById("verdict").focus();
}

function heard(data, from) {
  if (data.progress !== undefined) {
    const done = order.indexOf(data.progress);
    bar.value = done / order.length;
    say(fill(labels.running, { check: words.checks[data.progress] }));
  } else if (data.undisclosed) fail(words.headings.undisclosed);
  else if (data.unreadable) fail(fill(words.headings.unreadable, { why: data.unreadable }));
  else show({ ...data, from });
}

function replay({ text, from }) {
  worker?.terminate();
  worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }) => heard(data, from));
  worker.addEventListener("error", () => fail(labels.broken));
  worker.postMessage({ text, heads: headsGiven() });
}

async function start() {
  result.replaceChildren();
  bar.hidden = false;
  bar.removeAttribute("value");
  say(labels.loading);
  try {
    replay(await chosen());
  } catch (fault) {
    if (!(fault instanceof Told)) throw fault;
    fail(fault.message);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
form.hidden = false;

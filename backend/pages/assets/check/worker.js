/** Replays a record beside the page, so that the page stays alive however long it takes. */

import { DrawError, load, outsideOf, verify } from "../draw.js";

function checked({ text, heads }) {
  const record = load(text);
  if (record === null) return { undisclosed: true };
  const progress = (name) => self.postMessage({ progress: name });
  return { report: verify(record, { heads, progress }), outside: outsideOf(record) };
}

self.addEventListener("message", ({ data }) => {
  try {
    self.postMessage(checked(data));
  } catch (fault) {
    if (!(fault instanceof DrawError)) throw fault;
    self.postMessage({ unreadable: fault.code });
  }
});

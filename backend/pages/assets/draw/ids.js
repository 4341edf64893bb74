/** The rules every id obeys: 1 to 128 bytes, NFC, nothing invisible (draw.md sections 2.2, 12). */

import { utf8 } from "./bytes.js";
import { checkString } from "./canon.js";
import { refuse } from "./errors.js";

const LONGEST = 128;

/** Raises E_ID, then E_CONTROL or E_SURROGATE, then E_NFC. */
export function checkId(id) {
  if (typeof id !== "string" || id === "" || utf8(id).length > LONGEST) refuse("E_ID");
  checkString(id);
}

/** Raises `code` where two of the records have one id; what is no text is not an id yet. */
export function checkDistinct(records, code) {
  const ids = records.map(({ id }) => id).filter((id) => typeof id === "string");
  if (new Set(ids).size !== ids.length) refuse(code);
}

/**
 * The draw `ssj1` and its verifier in plain JavaScript: the specification carried out a second
 * time, without dependencies, for browsers and Node alike.
 */

export { DrawError } from "./draw/errors.js";
export { load } from "./draw/load.js";
export { outsideOf } from "./draw/outside.js";
export { answer, answerLine } from "./draw/replay.js";
export { coded, verify } from "./draw/verify.js";

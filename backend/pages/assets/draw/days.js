/** The visit day, drawn like everything else (draw.md section 6b). */

import { utf8 } from "./bytes.js";
import { refuse } from "./errors.js";
import { checkDistinct, checkId } from "./ids.js";
import { Tickets } from "./tickets.js";

const ISO = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;

export function isDay(text) {
  const [, year, month, day] = (typeof text === "string" && ISO.exec(text)) || [];
  if (year === undefined || year === "0000") return false;
  // setUTCFullYear takes small years as they are; the constructor would add 1900 to them.
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

function checkDays(days) {
  if (!Array.isArray(days) || days.length === 0 || !days.every(isDay)) refuse("E_DAYS");
  if (days.some((day, at) => at > 0 && days[at - 1] >= day)) refuse("E_DAYS");
}

/** Visit id → ISO date. Raises E_DUP_VISIT, the errors of ids, E_DAYS. */
export function drawDays(alg, seed, visits) {
  checkDistinct(visits, "E_DUP_VISIT");
  for (const { id } of visits) checkId(id);
  for (const { days } of visits) checkDays(days);
  const tickets = new Tickets(alg, seed);
  const drawn = Object.create(null);
  for (const { id, days } of visits) drawn[id] = tickets.pick("ssj1.day", utf8(id), days);
  return drawn;
}

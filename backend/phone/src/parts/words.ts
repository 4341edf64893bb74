/** Numbers and times as people read them. */

import { say, spoken } from "../texts/index.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MEGA = 1_000_000;

export function age(then: number, now: number): string {
  const passed = Math.max(0, now - then);
  if (passed < MINUTE) {
    return say("age.now");
  }
  if (passed < HOUR) {
    return say("age.minutes", { n: Math.floor(passed / MINUTE) });
  }
  return passed < 2 * DAY
    ? say("age.hours", { n: Math.floor(passed / HOUR) })
    : say("age.days", { n: Math.floor(passed / DAY) });
}

export function megabytes(bytes: number): string {
  return (bytes / MEGA).toFixed(bytes < 10 * MEGA ? 1 : 0);
}

/** A day or an instant in Beijing, whatever the phone's zone is. */
export function moment(ms: number, style: "day" | "time"): string {
  const options: Intl.DateTimeFormatOptions =
    style === "day"
      ? { month: "long", day: "numeric" }
      : { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" };
  const place = spoken() === "en" ? "en-GB" : "zh-CN";
  return new Intl.DateTimeFormat(place, { ...options, timeZone: "Asia/Shanghai" }).format(ms);
}

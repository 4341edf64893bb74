/** Numbers and times as people read them. */

import type { KeptCapture } from "../store/db.ts";
import { say, spoken } from "../texts/index.ts";
import type { Key } from "../texts/index.ts";

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
  const places = bytes < MEGA ? 2 : bytes < 10 * MEGA ? 1 : 0;
  return (bytes / MEGA).toFixed(places);
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

/** How far, as a person says it. */
export function distance(metres: number): string {
  return metres < 950
    ? say("far.metres", { n: Math.max(50, Math.round(metres / 50) * 50) })
    : say("far.kilometres", { n: (metres / 1000).toFixed(metres < 9500 ? 1 : 0) });
}

/** What kind of piece a capture is. */
export function kindOf(capture: KeptCapture): string {
  const group = capture.manifest.media.mime.split("/")[0] ?? "";
  const keys: Record<string, Key> = {
    image: "sync.photo",
    video: "sync.video",
    audio: "sync.audio",
  };
  return say(keys[group] ?? "sync.file");
}

const OCCASIONS = ["roll", "interview", "paper", "obstruction", "signature"] as const;

/** What a capture belongs to: an item by its code, or the occasion in words. */
export function occasion(item: string): string {
  const known = OCCASIONS.find((one) => one === item);
  return known === undefined ? item : say(`occasion.${known}`);
}

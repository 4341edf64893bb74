/** Where the phone is: asked for a while and no longer, with the datum that the browser uses. */

import type { Location } from "../wire/manifest.ts";

const PATIENCE_MS = 15_000;
const FRESH_MS = 30_000;
const DEGREE = 10_000_000;

let last: Location | null = null;
let at = 0;

/** A position, or why there is none. A fix of the last half minute is good enough for a photo. */
export async function whereNow(patience = PATIENCE_MS): Promise<Location> {
  if (last?.st === "ok" && Date.now() - at < FRESH_MS) {
    return { ...last, age_ms: Date.now() - at };
  }
  if (!("geolocation" in navigator)) {
    return { st: "off", crs: "?", n: 0 };
  }
  last = await new Promise<Location>((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords, timestamp }) => {
        resolve({
          st: "ok",
          crs: "wgs84",
          n: 1,
          lat: Math.round(coords.latitude * DEGREE),
          lon: Math.round(coords.longitude * DEGREE),
          acc_cm: Math.round(coords.accuracy * 100),
          age_ms: Math.max(0, Date.now() - timestamp),
        });
      },
      (fault) => {
        resolve({ st: fault.code === fault.TIMEOUT ? "timeout" : "denied", crs: "?", n: 0 });
      },
      { enableHighAccuracy: true, timeout: patience, maximumAge: FRESH_MS },
    );
  });
  at = Date.now();
  return last;
}

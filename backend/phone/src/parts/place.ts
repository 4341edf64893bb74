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
    // The browser's own time-out rests while it asks for leave, and while the page is hidden.
    window.setTimeout(() => resolve({ st: "timeout", crs: "?", n: 0 }), patience);
    navigator.geolocation.getCurrentPosition(
      ({ coords, timestamp }) => {
        resolve(fixed(coords, timestamp, 1));
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

/** Every fix while one is waited for, the best so far; ends by itself after the patience. */
export function follow(tell: (now: Location, done: boolean) => void): () => void {
  if (!("geolocation" in navigator)) {
    tell({ st: "off", crs: "?", n: 0 }, true);
    return () => undefined;
  }
  let best: Location | null = null;
  let n = 0;
  const started = Date.now();
  const end = (why: "denied" | "timeout"): void => {
    window.clearTimeout(timer);
    navigator.geolocation.clearWatch(watch);
    tell(best ?? { st: why, crs: "?", n }, true);
  };
  const timer = window.setTimeout(() => end("timeout"), PATIENCE_MS);
  const watch = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      n += 1;
      const found = fixed(coords, timestamp, n);
      if (best === null || (found.acc_cm ?? 0) <= (best.acc_cm ?? 0)) {
        best = found;
      }
      [last, at] = [best, Date.now()];
      tell(best, Date.now() - started > PATIENCE_MS);
    },
    (fault) => {
      if (fault.code === fault.PERMISSION_DENIED) {
        end("denied");
      }
    },
    { enableHighAccuracy: true, maximumAge: 0 },
  );
  return () => {
    window.clearTimeout(timer);
    navigator.geolocation.clearWatch(watch);
  };
}

function fixed(coords: GeolocationCoordinates, timestamp: number, n: number): Location {
  return {
    st: "ok",
    crs: "wgs84",
    n,
    lat: Math.round(coords.latitude * DEGREE),
    lon: Math.round(coords.longitude * DEGREE),
    acc_cm: Math.round(coords.accuracy * 100),
    age_ms: Math.max(0, Date.now() - timestamp),
  };
}

const EARTH_M = 6_371_000;
const RADIAN = Math.PI / 180 / DEGREE;

/** Metres from here to a filed place, or null where one of both is not known; rough by its datum. */
export function metresTo(
  here: Location | null,
  place: { readonly lat_e7: number | null; readonly lon_e7: number | null },
): number | null {
  if (here?.lat === undefined || here.lon === undefined || place.lat_e7 === null || place.lon_e7 === null) {
    return null;
  }
  const north = (place.lat_e7 - here.lat) * RADIAN;
  const east = (place.lon_e7 - here.lon) * RADIAN * Math.cos(here.lat * RADIAN);
  return Math.round(Math.hypot(north, east) * EARTH_M);
}

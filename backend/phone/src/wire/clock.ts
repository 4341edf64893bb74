/**
 * The phone's clocks, none of which is believed: the wall, the monotonic one of this session, and
 * the last time that the server signed.
 */

import { hex } from "./bytes.ts";
import type { Anchor, Times } from "./manifest.ts";

/** A new one each time the page is loaded: monotonic times compare within one session. */
const SESSION = hex(crypto.getRandomValues(new Uint8Array(8)));

export function mono(): number {
  return Math.round(performance.now());
}

/** The clocks at this instant, beside the last time that the server signed. */
export function timesNow(anchor: Anchor): Times {
  return {
    wall: Date.now(),
    mono: mono(),
    session: SESSION,
    tz_min: -new Date().getTimezoneOffset(),
    anchor,
  };
}

/** The server's time now as far as the phone can tell (ms); its own clock before the first answer. */
export function serverNow(anchor: (Anchor & { readonly session: string }) | null): number {
  return anchor === null || anchor.session !== SESSION
    ? Date.now()
    : anchor.srv + mono() - anchor.mono;
}

/** The server's time, or null where it has not answered since this page was loaded. */
export function provenNow(anchor: (Anchor & { readonly session: string }) | null): number | null {
  return anchor === null || anchor.session !== SESSION ? null : serverNow(anchor);
}

/** An anchor of an answer that took `rtt` ms. */
export function anchorOf(srv: number, tok: string, rtt: number): Anchor & { session: string } {
  return { srv, tok, rtt, mono: mono(), session: SESSION };
}

/** Putting the application on the home screen: asked for by the person, never by a pop-up. */

import { ref, shallowRef } from "vue";

/** What Chromium hands out to be called at a click; in no standard's types. */
interface Offer extends Event {
  prompt(): Promise<unknown>;
}

const own = window.matchMedia("(display-mode: standalone)");
export const installed = ref(own.matches);
export const offered = shallowRef<Offer | null>(null);

own.addEventListener("change", () => {
  installed.value = own.matches;
});
window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offered.value = event as Offer;
});

export async function install(): Promise<void> {
  await offered.value?.prompt();
  offered.value = null;
}

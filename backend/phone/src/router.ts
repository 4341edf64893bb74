/** Hash routes: a page of the shell is there without a server. */

import { ref } from "vue";
import { createRouter, createWebHashHistory } from "vue-router";
import { handed } from "./parts/handed.ts";
import { PAPERS } from "./parts/paperKinds.ts";
import { mine } from "./state.ts";

export const router = createRouter({
  history: createWebHashHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: "/", name: "today", component: () => import("./pages/Today.vue") },
    { path: "/sign-in", name: "sign-in", component: () => import("./pages/SignIn.vue") },
    { path: "/tasks/:visit", name: "task", component: () => import("./pages/Task.vue"), props: true },
    {
      path: "/tasks/:visit/checklist",
      name: "checklist",
      component: () => import("./pages/Checklist.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/arrival",
      name: "arrival",
      component: () => import("./pages/CheckIn.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/roll",
      name: "roll",
      component: () => import("./pages/RollCall.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/record",
      name: "record",
      component: () => import("./pages/Record.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/differences",
      name: "differences",
      component: () => import("./pages/Differences.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/ask",
      name: "ask",
      component: () => import("./pages/Ask.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/questions",
      name: "questions",
      component: () => import("./pages/Questions.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/advert",
      name: "advert",
      component: () => import("./pages/Advert.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/papers",
      name: "papers",
      component: () => import("./pages/Papers.vue"),
      props: true,
    },
    {
      path: `/tasks/:visit/papers/:kind(${PAPERS.join("|")})`,
      name: "paper",
      component: () => import("./pages/Paper.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/record/reading",
      name: "reading",
      component: () => import("./pages/Reading.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/record/sign/:who",
      name: "sign",
      component: () => import("./pages/Sign.vue"),
      props: true,
    },
    {
      path: "/tasks/:visit/record/colleague",
      name: "colleague",
      component: () => import("./pages/Colleague.vue"),
      props: true,
    },
    { path: "/records", name: "records", component: () => import("./pages/Records.vue") },
    { path: "/queue", name: "queue", component: () => import("./pages/Queue.vue") },
    { path: "/settings", name: "settings", component: () => import("./pages/Settings.vue") },
    { path: "/:rest(.*)", redirect: "/" },
  ],
});

// Until its first page stands the router hears of no other address, and then writes its own over
// it: what was wanted meanwhile (back, a link from outside) is gone to afterwards.
let meant: string | null = null;

function heed(): void {
  meant = location.hash.slice(1);
}

window.addEventListener("popstate", heed);
void router.isReady().catch(() => undefined).then(() => {
  window.removeEventListener("popstate", heed);
  if (meant !== null && meant !== router.currentRoute.value.fullPath) {
    void router.replace(meant);
  }
});

/** Where a page was wanted whose program did not come: after an update in another tab it is gone. */
export const unloaded = ref<string | null>(null);

router.onError((_fault, to) => {
  unloaded.value = to.fullPath;
});
router.afterEach(() => {
  unloaded.value = null;
});

/** Begin anew at the page that was wanted. */
export function loadAgain(): void {
  location.hash = unloaded.value ?? "/";
  location.reload();
}

router.beforeEach((to) => {
  if (mine.value === null && to.name !== "sign-in") {
    return { name: "sign-in" };
  }
  // A phone in a trainee's hand shows the questionnaire, whatever address is typed.
  if (handed.value !== null && to.name !== "questions") {
    return { name: "questions", params: { visit: handed.value } };
  }
  return true;
});

/** Hash routes: a page of the shell is there without a server. */

import { createRouter, createWebHashHistory } from "vue-router";
import { mine } from "./state.ts";

export const router = createRouter({
  history: createWebHashHistory(),
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
    { path: "/queue", name: "queue", component: () => import("./pages/Queue.vue") },
    { path: "/settings", name: "settings", component: () => import("./pages/Settings.vue") },
    { path: "/:rest(.*)", redirect: "/" },
  ],
});

router.beforeEach((to) => {
  if (mine.value === null && to.name !== "sign-in") {
    return { name: "sign-in" };
  }
  return true;
});

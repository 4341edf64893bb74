import { createApp, h } from "vue";
import "../../pages/assets/tokens.css";
import "./styles/base.css";
import "./styles/forms.css";
import "./styles/parts.css";
import App from "./App.vue";
import { recall } from "./parts/handed.ts";
import { applyTheme } from "./parts/theme.ts";
import { router } from "./router.ts";
import "./parts/install.ts";
import { begin } from "./state.ts";
import { read } from "./store/cells.ts";
import { store } from "./store/db.ts";
import { say, speak } from "./texts/index.ts";

async function main(): Promise<void> {
  try {
    await store.open();
  } catch {
    createApp({ render: () => h("main", h("p", say("start.no_store"))) }).mount("#app");
    return;
  }
  applyTheme((await read("theme")) ?? "system");
  await speak((await read("language")) ?? "zh");
  await recall();
  await begin();
  createApp(App).use(router).mount("#app");
}

void main();

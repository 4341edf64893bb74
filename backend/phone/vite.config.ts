import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";
import type { Plugin } from "vite";

const WORKER = new URL("./src/worker/shell.js", import.meta.url);
const PUBLIC = new URL("./public/", import.meta.url);

/** Writes sw.js with the names of all files of this build; its version is their digest. */
function serviceWorker(): Plugin {
  return {
    name: "mingcha-shell",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const digest = createHash("sha256").update(readFileSync(WORKER));
        const built = Object.keys(bundle).sort();
        for (const name of built) {
          const one = bundle[name]!;
          digest.update(name).update(one.type === "chunk" ? one.code : one.source);
        }
        const still = readdirSync(PUBLIC).sort();
        for (const name of still) {
          digest.update(name).update(readFileSync(new URL(name, PUBLIC)));
        }
        const version = digest.digest("hex");
        const source = readFileSync(WORKER, "utf8")
          .replace("'__VERSION__'", JSON.stringify(version))
          .replace("'__FILES__'", JSON.stringify([...built, ...still]));
        this.emitFile({ type: "asset", fileName: "sw.js", source });
        // What a manifest states of the program that captured.
        this.emitFile({ type: "asset", fileName: "build.json", source: JSON.stringify({ version }) });
      },
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [vue(), serviceWorker()],
  build: { target: "es2020", assetsInlineLimit: 0, reportCompressedSize: false },
});

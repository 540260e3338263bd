// Builds the console into OUT (default: static/console/ of this repository):
//
//   console.js           the page's module
//   <name>-<digest>.js   what it loads when something is to be shown that needs it
//
// The same sources and package-lock.json give the same bytes: a test builds again and compares.
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../../static/console"));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await esbuild.build({
  entryPoints: { console: "src/main.ts" },
  outdir: out,
  format: "esm",
  splitting: true,
  chunkNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  target: ["chrome105", "firefox110", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  absWorkingDir: here,
});

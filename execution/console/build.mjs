// Builds the console into OUT (default: static/console/ of this repository):
//
//   console.js           the page's module
//   <name>-<digest>.js   what it loads when something is to be shown that needs it
//   licenses.txt         of the packages that are in there
//
// The same sources and package-lock.json give the same bytes: a test builds again and compares.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
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

const licenses = await Promise.all(
  ["marked", "temml"].map(async (name) => `${name}\n\n${await readFile(join(here, "node_modules", name, "LICENSE"), "utf8")}`),
);
await writeFile(join(out, "licenses.txt"), licenses.join("\n\n"));

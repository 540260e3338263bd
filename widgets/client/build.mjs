// Builds the client:
//
//   node build.mjs [OUT]        api.js, the browser's global `ReplitClient`, into OUT (default: static/lib/ of this
//                               repository), where the service serves it as /lib/api.js
//   node build.mjs --package    dist/, what the npm package holds: ES module, CommonJS, api.js, types of both
//
// The same sources and package-lock.json give the same bytes: a test builds again and compares.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const { version } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
const common = {
  bundle: true,
  minify: true,
  target: ["chrome105", "firefox110", "safari16.4", "node22"],
  charset: "utf8",
  legalComments: "none",
  absWorkingDir: here,
  banner: { js: `/*! runcode-client ${version} */` },
};
// One class is the whole package: `ReplitClient` is the global, and what `require` gives.
const script = { ...common, entryPoints: ["src/script.ts"], format: "iife" };

if (process.argv[2] === "--package") {
  const out = join(here, "dist");
  await rm(out, { recursive: true, force: true });
  await mkdir(out);
  await esbuild.build({ ...common, entryPoints: ["src/index.ts"], format: "esm", outfile: join(out, "index.mjs") });
  await esbuild.build({ ...common, entryPoints: ["src/required.ts"], format: "cjs", platform: "node", outfile: join(out, "index.cjs") });
  await esbuild.build({ ...script, outfile: join(out, "api.js") });
  await copyFile(join(here, "src/types.d.ts"), join(out, "index.d.mts"));
  await writeFile(join(out, "index.d.cts"), await required());
} else {
  const out = resolve(process.argv[2] ?? join(here, "../../static/lib"));
  await mkdir(out, { recursive: true });
  await esbuild.build({ ...script, outfile: join(out, "api.js") });
}

/** The types as CommonJS has them: the class itself, with the others in its namespace. */
async function required() {
  const types = (await readFile(join(here, "src/types.d.ts"), "utf8")).replace(/^export default .*\n/m, "");
  const names = [...types.matchAll(/^export (?:interface|type|class) (\w+)/gm)].map((match) => match[1]);
  const own = names.filter((name) => name !== "ReplitClient");
  const body = types.replace(/^export class /gm, "declare class ").replace(/^export (interface|type) /gm, "$1 ");
  const exported = own.map((name) => `${name}_ as ${name}`).join(", ");
  const aliases = own.map((name) => `type ${name}_ = ${name};`).join("\n");
  return `${body}\n${aliases}\ndeclare namespace ReplitClient {\n  export { ${exported}, ReplitClient, ReplitClient as default };\n}\nexport = ReplitClient;\n`;
}

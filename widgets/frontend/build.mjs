// Builds the widget into OUT (default: static/widget/ of this repository):
//
//   widget.js              the loader, served as /widget.js
//   <name>-<digest>.js     everything else, as ES modules that load each other; their names change with their content
//
// The same sources and package-lock.json give the same bytes: a test builds again and compares.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../../static/widget"));
const { version } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));

// Style sheets become strings, minified: the widget adopts them into its shadow roots.
const styles = {
  name: "styles",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const { code } = await esbuild.transform(source, { loader: "css", minify: true, target: TARGET });
      return { contents: code.trim(), loader: "text" };
    });
  },
};
const TARGET = ["chrome105", "firefox110", "safari16.4"];
const common = { bundle: true, minify: true, target: TARGET, charset: "utf8", legalComments: "none", absWorkingDir: here };

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { metafile } = await esbuild.build({
  ...common,
  entryPoints: ["src/main.ts"],
  outdir: out,
  format: "esm",
  splitting: true,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  plugins: [styles],
  metafile: true,
});
const [main] = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === "src/main.ts");
const { outputFiles } = await esbuild.build({
  ...common,
  entryPoints: ["src/loader.ts"],
  format: "iife",
  define: { MAIN: JSON.stringify(`static/widget/${basename(main)}`), VERSION: JSON.stringify(version) },
  banner: { js: `/*! Runcode widget ${version} */` },
  write: false,
});
await writeFile(join(out, "widget.js"), outputFiles[0].contents);

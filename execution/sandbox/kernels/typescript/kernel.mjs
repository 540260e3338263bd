// The TypeScript and JavaScript kernel: Node.js's inspector evaluates the cells in this thread, as its REPL does.
// With the argument "javascript" it is a plain console: cells are taken as they are, and every value is shown.

import { statSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";

import { send } from "./channel.mjs";
import { withImports } from "./imports.mjs";

// For enumerations, namespaces and parameter properties, which Node.js itself does not take; loaded when first needed.
const sucrase = () => createRequire("/opt/javascript/package.json")("sucrase");

const PLAIN = process.argv[2] === "javascript";
const INTERRUPTED = { name: "Interrupted", value: "The cell was interrupted.", traceback: "Interrupted" };
const DISPLAY = Symbol.for("Jupyter.display");

process.chdir("/work");
const require = createRequire("/work/cell.js");
const session = new Session();
session.connect();

// --- what is shown ---

const plain = (value) => (value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value);

const ofTypes = (types) => Object.fromEntries(Object.entries(types).map(([type, data]) => [type, plain(data)]));

function bundle(value) {
  const text = { "text/plain": inspect(value, { colors: false, depth: PLAIN ? 2 : 6 }) };
  return typeof value?.[DISPLAY] === "function" ? { ...text, ...ofTypes(value[DISPLAY]()) } : text;
}

const show = (data, { primary = false, displayId = "", update = false } = {}) =>
  send({ event: "item", data, primary, display_id: displayId, update });

// display(value), display({type: data}, {raw: true}), display.html(text) and so on for each type.
const display = (value, options = {}) => show(options.raw ? ofTypes(value) : bundle(value), { ...options, primary: false });
for (const [name, type] of Object.entries({
  html: "text/html",
  markdown: "text/markdown",
  svg: "image/svg+xml",
  png: "image/png",
  jpeg: "image/jpeg",
  latex: "text/latex",
  json: "application/json",
  javascript: "application/javascript",
})) {
  display[name] = (data, options) => show({ [type]: plain(data) }, options);
}

// --- modules ---

// Files of the work dir are read anew when they have changed; packages are found from there too.
async function importFor(specifier) {
  const name = String(specifier);
  if (/^\.{0,2}\//.test(name)) {
    const path = resolve("/work", name);
    return import(`${pathToFileURL(path).href}?changed=${statSync(path).mtimeMs}`);
  }
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return import(pathToFileURL(require.resolve(name)).href);
  }
}

// --- cells ---

function errorOf(error) {
  if (!(error instanceof Error)) {
    return { name: "Error", value: inspect(error), traceback: `Uncaught ${inspect(error)}` };
  }
  const lines = String(error.stack ?? error).split("\n");
  const theirs = lines.filter((line) => !/file:\/\/\/build\/|node:i|at new Promise \(<anonymous>\)/.test(line));
  return { name: String(error.name), value: String(error.message), traceback: theirs.join("\n") };
}

// Types are stripped and imports rewritten. What is no valid syntax is left to the engine, which explains it best.
function javascriptOf(code) {
  let stripped;
  try {
    stripped = PLAIN ? code : stripTypeScriptTypes(code, { mode: "strip" });
  } catch (error) {
    if (error.code !== "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return code;
    stripped = sucrase().transform(code, { transforms: ["typescript"], disableESTransforms: true, keepUnusedImports: true }).code;
  }
  try {
    return /\bimport\b/.test(stripped) ? withImports(stripped) : stripped;
  } catch {
    return stripped;
  }
}

// What the inspector hands back is a reference to a value of this very thread; `take` gets the value itself.
let taken;
Object.defineProperty(globalThis, "__kernel", {
  value: { import: importFor, take: (value) => void (taken = value) },
});

async function valueOf({ objectId, unserializableValue, value }) {
  await session.post("Runtime.callFunctionOn", {
    functionDeclaration: "function (value) { __kernel.take(value); }",
    arguments: [objectId ? { objectId } : unserializableValue ? { unserializableValue } : { value }],
    executionContextId: 1,
  });
  return taken;
}

async function evaluate(code, count) {
  const expression = `${javascriptOf(code)}\n//# sourceURL=${PLAIN ? `REPL${count}` : `cell-${count}.ts`}`;
  const { result, exceptionDetails } = await session.post("Runtime.evaluate", {
    expression,
    replMode: true,
    awaitPromise: true,
  });
  if (exceptionDetails) return errorOf(await valueOf(exceptionDetails.exception));
  const value = await valueOf(result);
  if (PLAIN) globalThis._ = value;
  if (value !== undefined || PLAIN) show(bundle(value), { primary: true });
  return null;
}

let interrupt = () => {};

async function run(cell, count) {
  Object.assign(process.env, cell.env);
  const interrupted = new Promise((stop) => (interrupt = () => stop(INTERRUPTED)));
  let error;
  try {
    error = await Promise.race([evaluate(cell.code, count), interrupted]);
  } catch (failure) {
    error = failure.code === "ERR_INSPECTOR_COMMAND" ? INTERRUPTED : errorOf(failure);
  }
  interrupt = () => {};
  send({ event: "done", error });
}

Object.assign(globalThis, { display, require });
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => process.stderr.write(`${error?.stack ?? inspect(error)}\n`));
}

// Otherwise the process would wait for the worker's inspector to let go.
process.exit = () => process.kill(process.pid, "SIGKILL");

const worker = new Worker(new URL("./worker.mjs", import.meta.url));
let count = 0;
let last = Promise.resolve();
worker.on("message", (message) => {
  if (message.do === "execute") {
    last = last.then(() => run(message, ++count));
  } else {
    worker.postMessage("heard");
    interrupt();
  }
});
worker.on("error", (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

if (!PLAIN) stripTypeScriptTypes(""); // its first call loads a compiler
await session.post("Runtime.enable");
send({ event: "ready" });

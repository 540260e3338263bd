// Node.js's debugger as a kernel: the first cell is a program, every further one a step to its next line.
//
// The program runs in this thread, where the inspector can hold it. The other thread (worker.mjs) reads the channel, speaks
// to the inspector and answers; what it has to know of this thread, `tell` tells it.

import Module from "node:module";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";

const MOST_CHARACTERS = 200;
const MOST_LOCALS = 100;

process.chdir("/work");
const worker = new Worker(new URL("./worker.mjs", import.meta.url));
const tell = (message) => worker.postMessage(message);
const halt = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);

function errorOf(error) {
  if (!(error instanceof Error)) return { name: "Error", value: inspect(error), traceback: `Uncaught ${inspect(error)}` };
  const lines = String(error.stack ?? error).split("\n");
  const theirs = lines.filter((line) => !/^\s+at .*(file:\/\/\/build\/|node:|<anonymous>$)/.test(line));
  return { name: String(error.name), value: String(error.message), traceback: theirs.join("\n") };
}

// --- the program's end ---

let ended = false;

function end(error) {
  if (ended) return;
  ended = true;
  tell({ ended: true, error: error === undefined ? null : errorOf(error) });
  // Nothing of the program's runs after its end; the other thread needs this one no more.
  halt();
}

process.on("uncaughtException", (error) => end(error));
process.on("beforeExit", () => started && end());
process.reallyExit = () => end();

// --- what the other thread calls by the inspector ---

let started = false;

async function load(path, isModule) {
  started = true;
  process.argv = [process.argv[0], path];
  // It keeps this thread alive no longer: what the program left to do does.
  worker.unref();
  try {
    if (isModule) await import(pathToFileURL(path));
    else Module._load(path, null, true);
  } catch (error) {
    end(error);
  }
}

function printed(value) {
  let text;
  try {
    text = inspect(value, { depth: 1, breakLength: Infinity, compact: true, maxArrayLength: 30, maxStringLength: MOST_CHARACTERS });
  } catch {
    // Printing may be the program's own code, and fail.
    text = `<${typeof value}>`;
  }
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}

const WRAPPER = new Set(["exports", "require", "module", "__filename", "__dirname"]);

// The variables of a scope, added to those of the scopes inside it.
function locals(scope, inner, isWrapper) {
  const found = { ...inner };
  for (const name of Object.keys(scope)) {
    if (Object.keys(found).length >= MOST_LOCALS) break;
    if (name in found || (isWrapper && WRAPPER.has(name)) || name === "arguments") continue;
    try {
      found[name] = printed(scope[name]);
    } catch {
      // Declared further down, and without a value until then.
    }
  }
  return found;
}

Object.defineProperty(globalThis, "__debugger", { value: { load, locals } });

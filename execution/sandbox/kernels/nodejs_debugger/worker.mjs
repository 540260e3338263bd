// The debugger's own thread: it reads cells from the channel, moves the program of the main thread by the inspector, and
// answers each cell with where the program stands.

import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import vm from "node:vm";
import { parentPort } from "node:worker_threads";

import { beginningOf } from "./beginning.mjs";
import { receiver, send } from "./channel.mjs";
import { instrument, isSameStep, parsed, stackOf } from "./stack.mjs";

const INTERRUPTED = { name: "Interrupted", value: "The program was interrupted.", traceback: "Interrupted" };

const session = new Session();
session.connectToMainThread();

// --- the channel ---

const receive = receiver(() => process.kill(process.pid, "SIGKILL"));

function answer({ done, stack = [], error = null }) {
  send({ event: "item", data: { "application/json": { done, stack } }, primary: true, display_id: "", update: false });
  send({ event: "done", error });
}

// --- the program ---

let path = null;
let isModule = false;
let state = "new"; // new, waiting (to be started), paused, running, ended
let arrive = () => {}; // called when the running program has paused or ended

const moved = () => new Promise((done) => (arrive = done));

parentPort.on("message", ({ error }) => {
  if (state === "ended") return;
  state = "ended";
  arrive({ done: true, error });
});

session.on("Debugger.scriptParsed", ({ params }) => parsed(params));

session.on("Debugger.paused", async ({ params: { callFrames } }) => {
  try {
    await instrument(session, callFrames);
    if (state !== "running") return;
    if (isSameStep(callFrames[0], callFrames.length)) return await session.post("Debugger.resume");
    const stack = await stackOf(session, callFrames);
    state = "paused";
    arrive({ done: false, stack });
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
  }
});

// A program that is none is told in the engine's own words, those of a module where it is one.
function faultOf(code) {
  try {
    vm.compileFunction(code, ["exports", "require", "module", "__filename", "__dirname"], { filename: "/work/main.js" });
    return null;
  } catch (error) {
    if (!/import statement|import\.meta|Unexpected token 'export'|await is only valid/.test(error.message)) return error;
  }
  isModule = true;
  try {
    new vm.SourceTextModule(code, { identifier: "/work/main.mjs" });
    return null;
  } catch (error) {
    return error;
  }
}

async function prepare(code) {
  const fault = faultOf(code);
  if (fault) {
    state = "ended";
    const traceback = fault.stack.split("\n").filter((line) => !/^\s+at /.test(line)).join("\n");
    return answer({ done: true, error: { name: fault.name, value: fault.message, traceback } });
  }
  path = isModule ? "/work/main.mjs" : "/work/main.js";
  writeFileSync(path, code);
  await session.post("Debugger.enable");
  // At the first stop in a file its other places are found.
  await session.post("Debugger.setBreakpointByUrl", { ...beginningOf(code, isModule), urlRegex: `^(file://)?${path}$` });
  await session.post("Debugger.setBreakpointByUrl", {
    lineNumber: 0,
    urlRegex: `^(file://)?/work/(?!main\\.m?js$)(?!.*node_modules)`,
  });
  state = "waiting";
  answer({ done: false });
}

async function step(env) {
  if (state === "ended") return answer({ done: true });
  const place = moved();
  const before = state;
  state = "running";
  if (before === "waiting") {
    const call = `Object.assign(process.env, ${JSON.stringify(env)}); __debugger.load(${JSON.stringify(path)}, ${isModule})`;
    session.post("Runtime.evaluate", { expression: call }).catch(() => {});
  } else {
    await session.post("Debugger.resume");
  }
  answer(await place);
}

function interrupt() {
  if (state !== "running") return;
  state = "ended";
  arrive({ done: true, error: INTERRUPTED });
  // Not one after the other: a thread that is held or blocked may never answer the first.
  session.post("Debugger.disable").catch(() => {});
  session.post("Runtime.terminateExecution").catch(() => {});
}

await session.post("Runtime.enable");
send({ event: "ready" });

let queue = Promise.resolve();
for (;;) {
  const message = await receive();
  if (message.do === "interrupt") interrupt();
  else queue = queue.then(() => (state === "new" ? prepare(message.code) : step(message.env)));
}

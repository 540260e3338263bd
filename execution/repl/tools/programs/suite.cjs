// The program and then its suite, which sees all that the program declares at its top, and may require it too.

const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const Module = require("node:module");
const test = require("node:test");
const { pathToFileURL } = require("node:url");
const vm = require("node:vm");

const { entry } = globalThis.__unit_tests;
const program = `/work/${entry}`;
const suite = "/work/UnitTests.js";
const { after, afterEach, before, beforeEach, describe, it, mock } = test;
Object.assign(globalThis, { after, afterEach, assert, before, beforeEach, describe, it, mock, test });

const isModule = (code) => /^\s*(import\b(?!\s*\()|export\b)/m.test(code);

async function loadProgram() {
  const code = readFileSync(program, "utf8");
  if (isModule(code) || entry.endsWith(".mjs")) {
    Object.assign(globalThis, await import(pathToFileURL(program)));
    return;
  }
  const module = new Module(program);
  module.filename = program;
  module.paths = Module._nodeModulePaths("/work");
  const require = Module.createRequire(program);
  Object.assign(globalThis, { module, exports: module.exports, require, __filename: program, __dirname: "/work" });
  Module._cache[program] = module;
  vm.runInThisContext(code, { filename: program, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });
  module.loaded = true;
}

async function loadSuite() {
  const code = readFileSync(suite, "utf8");
  if (isModule(code)) {
    await import(pathToFileURL("/work/UnitTests.mjs"));
    return;
  }
  const require = Module.createRequire(suite);
  const options = { filename: suite, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER };
  vm.compileFunction(code, ["require"], options)(require);
}

module.exports = loadProgram()
  .then(loadSuite)
  .catch((error) => void (globalThis.__unit_tests.fault = error));

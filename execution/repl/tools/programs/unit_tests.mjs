// Runs a suite of node:test against a program, in the sandbox: its report goes into the file that the input names.

import { readFileSync, writeFileSync } from "node:fs";
import { run } from "node:test";

const MOST = 200;
const MOST_CHARACTERS = 10_000;

const [name, entry] = readFileSync(0, "utf8").split("\n");
const exit = process.reallyExit.bind(process);
process.argv = [process.argv[0], `/work/${entry}`];
globalThis.__unit_tests = { entry, fault: null };

const cut = (value) => String(value).slice(0, MOST_CHARACTERS);

function stackOf(error) {
  const lines = String(error?.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const theirs = lines.filter((line) => line.includes("/work/") && !line.includes("/work/.runcode/"));
  return cut(theirs.map((line) => line.trim().replace(/(file:\/\/)?\/work\//, "")).join("\n"));
}

function told({ name: test, details }) {
  const error = details.error?.cause ?? details.error;
  const isAssertion = error?.code === "ERR_ASSERTION" || typeof error === "string";
  const message = isAssertion ? (error.message ?? error) : `${error?.name ?? "Error"}: ${error?.message ?? error}`;
  return { name: test, message: cut(message), stack: stackOf(error) };
}

function wordsOf(error) {
  const lines = String(error?.stack ?? error).replace(/(file:\/\/)?\/work\//g, "").split("\n");
  return cut(lines.filter((line) => !/^\s+at .*(node:|\.runcode)/.test(line)).join("\n"));
}

const report = { ran: 0, failures: [], error: "" };
const isSuite = ({ details }) => details.type === "suite";
// node:test takes a file without tests for one.
const isFile = ({ name: test }) => test.endsWith("suite.cjs");
const tests = run({ files: ["/work/.runcode/suite.cjs"], isolation: "none", concurrency: false });
tests.on("test:pass", (event) => {
  if (!isSuite(event) && !isFile(event) && event.skip === undefined) report.ran += 1;
});
tests.on("test:fail", (event) => {
  // A suite fails with each of its tests; it is told by itself only where none of them is to blame.
  if (isSuite(event) && event.details.error?.failureType === "subtestsFailed") return;
  if (event.todo !== undefined) return;
  report.ran += 1;
  if (report.failures.length < MOST) report.failures.push(told(event));
});
tests.on("end", () => {
  const { fault } = globalThis.__unit_tests;
  if (fault) Object.assign(report, { ran: 0, failures: [], error: wordsOf(fault) });
  writeFileSync(`/work/${name}`, JSON.stringify(report));
  // Nothing of the program's may come after it.
  exit(0);
});
tests.resume();

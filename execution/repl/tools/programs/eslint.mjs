// ESLint over the file that is named, with its recommended rules; prints findings as JSON.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire("/opt/code-tools/package.json");
const { Linter } = require("eslint");
const { configs } = require("@eslint/js");
const globals = require("globals");

const code = readFileSync(process.argv[2], "utf8");
// A program is a module where it uses what only modules have; else a script, as Node.js takes it.
const isModule = /^\s*(import\b(?!\s*\()|export\b)/m.test(code);
const found = new Linter().verify(code, [
  configs.recommended,
  {
    languageOptions: {
      ecmaVersion: "latest",
      sourceType: isModule ? "module" : "commonjs",
      globals: { ...globals.nodeBuiltin, ...(isModule ? {} : globals.node) },
    },
  },
]);
console.log(JSON.stringify(found.map(({ line, column, severity, message, ruleId }) => ({
  line: line ?? 1,
  column: column ?? 1,
  severity: severity === 2 && (!ruleId || ruleId === "no-undef") ? "error" : "warning",
  message: ruleId ? `${message} (${ruleId})` : message,
}))));

// Where a program begins: the place of its first statement that does something. The engine cannot be asked before it runs
// the program, and takes a place inside the first function where it is only told the first line.

import { createRequire } from "node:module";

const { parse } = createRequire("/opt/javascript/package.json")("acorn");

function does(node) {
  if (node.type === "ExportNamedDeclaration" || node.type === "ExportDefaultDeclaration") {
    return Boolean(node.declaration) && does(node.declaration);
  }
  if (node.type === "VariableDeclaration") return node.declarations.some(({ init }) => init);
  return !node.directive && !["EmptyStatement", "ExportAllDeclaration", "FunctionDeclaration", "ImportDeclaration"].includes(node.type);
}

// {lineNumber, columnNumber}, from 0.
export function beginningOf(code, isModule) {
  try {
    const { body } = parse(code, {
      ecmaVersion: "latest",
      sourceType: isModule ? "module" : "script",
      allowReturnOutsideFunction: true,
      allowHashBang: true,
      locations: true,
    });
    const { line, column } = body.find(does).loc.start;
    return { lineNumber: line - 1, columnNumber: column };
  } catch {
    return { lineNumber: 0 };
  }
}

// Import declarations and import() of cells, in words that the inspector's REPL understands.

import { createRequire } from "node:module";

const { parse } = createRequire("/opt/javascript/package.json")("acorn");

// The REPL of the inspector knows no import declarations, and its scripts no import().
export function withImports(code) {
  const tree = parse(code, { ecmaVersion: "latest", sourceType: "module", allowAwaitOutsideFunction: true, allowReturnOutsideFunction: false });
  const edits = [];
  (function visit(node) {
    if (!node || typeof node.type !== "string") return;
    if (node.type === "ImportDeclaration") edits.push([node.start, node.end, declared(node)]);
    else if (node.type === "ImportExpression") edits.push([node.start, node.start + "import".length, "__kernel.import"]);
    for (const value of Object.values(node)) for (const child of Array.isArray(value) ? value : [value]) visit(child);
  })(tree);
  edits.sort((one, other) => other[0] - one[0]);
  for (const [start, end, text] of edits) code = code.slice(0, start) + text + code.slice(end);
  return code;
}

function declared({ source, specifiers }) {
  const module = `await __kernel.import(${source.raw})`;
  if (!specifiers.length) return `${module};`;
  const whole = specifiers.find((one) => one.type === "ImportNamespaceSpecifier");
  const named = specifiers.filter((one) => one !== whole).map((one) => {
    const name = one.type === "ImportDefaultSpecifier" ? "default" : (one.imported.name ?? one.imported.raw);
    return `${name}: ${one.local.name}`;
  });
  return [
    whole && `var ${whole.local.name} = ${module};`,
    named.length && `var { ${named.join(", ")} } = ${module};`,
  ].filter(Boolean).join(" ");
}

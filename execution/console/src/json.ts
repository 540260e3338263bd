// JSON as a tree that opens.
import { element } from "./dom";

const MOST_SHOWN = 200;

export function tree(value: unknown, name = ""): HTMLElement {
  const label = name === "" ? "" : `${name}: `;
  if (typeof value !== "object" || value === null) {
    const leaf = element("div", "tree__leaf", label);
    leaf.append(element("span", `tree__${value === null ? "null" : typeof value}`, JSON.stringify(value) ?? ""));
    return leaf;
  }
  const entries = Object.entries(value);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const branch = element("details", "tree");
  branch.append(element("summary", "", `${label}${left}${entries.length}${right}`));
  // Made when it is opened: a program may show a tree that is larger than anybody reads.
  branch.addEventListener("toggle", () => fill(branch, entries), { once: true });
  if (name === "") branch.open = true;
  return branch;
}

function fill(branch: HTMLElement, entries: [string, unknown][]): void {
  for (const [key, child] of entries.slice(0, MOST_SHOWN)) branch.append(tree(child, key));
  if (entries.length > MOST_SHOWN) {
    branch.append(element("div", "tree__leaf faint", `and ${entries.length - MOST_SHOWN} more`));
  }
}

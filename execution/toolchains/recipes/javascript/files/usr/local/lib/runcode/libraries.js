// The packages that programs may import, as npm has noted them.
const { packages } = require("/node_modules/.package-lock.json");
for (const [path, { version }] of Object.entries(packages)) {
    const name = path.replace("node_modules/", "");
    if (!name.includes("node_modules/")) console.log(name, version);
}

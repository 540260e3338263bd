// Bun is started before its program is there: it waits here until it is. Started with its program, there is no gate.
const { existsSync, readFileSync } = require("node:fs");

if (existsSync("/build/gate")) readFileSync("/build/gate");

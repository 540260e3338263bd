import { ReplitClient } from "./index";

declare const module: { exports: unknown };

module.exports = Object.assign(ReplitClient, { ReplitClient, default: ReplitClient });

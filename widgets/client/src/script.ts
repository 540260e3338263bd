import { ReplitClient } from "./index";

(globalThis as { ReplitClient?: unknown }).ReplitClient = ReplitClient;

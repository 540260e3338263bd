// The types that the package declares are those of its code: this file is compiled and never built.
import { ReplitClient } from "./index";
import type { ReplitClient as Declared } from "./types";

export const declared: Declared = new ReplitClient("host", 80, "python3", "token");
export const parameters: ConstructorParameters<typeof ReplitClient> = null as unknown as ConstructorParameters<
  typeof Declared
>;

// Syntax highlighting: one chunk per language, loaded when the language is chosen. Where the full grammar of a language
// would weigh as much as half the editor (C, C++, JavaScript, Rust), its stream parser does as well for highlighting.
import { type LanguageSupport, StreamLanguage, type StreamParser } from "@codemirror/language";
import type { Extension } from "@codemirror/state";

const stream = (parser: StreamParser<unknown>) => StreamLanguage.define(parser);

/** From an `editor_mode` of GET /api/compilers/ to its highlighting. */
const MODES: Record<string, () => Promise<LanguageSupport | Extension>> = {
  c: async () => stream((await import("@codemirror/legacy-modes/mode/clike")).c),
  cpp: async () => stream((await import("@codemirror/legacy-modes/mode/clike")).cpp),
  csharp: async () => stream((await import("@codemirror/legacy-modes/mode/clike")).csharp),
  fsharp: async () => stream((await import("@codemirror/legacy-modes/mode/mllike")).fSharp),
  go: async () => (await import("@codemirror/lang-go")).go(),
  haskell: async () => stream((await import("@codemirror/legacy-modes/mode/haskell")).haskell),
  java: async () => (await import("@codemirror/lang-java")).java(),
  javascript: async () => stream((await import("@codemirror/legacy-modes/mode/javascript")).javascript),
  lua: async () => stream((await import("@codemirror/legacy-modes/mode/lua")).lua),
  perl: async () => stream((await import("@codemirror/legacy-modes/mode/perl")).perl),
  php: async () => (await import("./php")).php,
  python: async () => (await import("@codemirror/lang-python")).python(),
  r: async () => stream((await import("@codemirror/legacy-modes/mode/r")).r),
  ruby: async () => stream((await import("@codemirror/legacy-modes/mode/ruby")).ruby),
  rust: async () => stream((await import("@codemirror/legacy-modes/mode/rust")).rust),
  sql: async () => (await import("@codemirror/lang-sql")).sql(),
  typescript: async () => stream((await import("@codemirror/legacy-modes/mode/javascript")).typescript),
};

/** Plain text for a mode that this widget doesn't know, or whose chunk did not come. */
export async function highlighting(mode: string): Promise<Extension> {
  try {
    return (await MODES[mode]?.()) ?? [];
  } catch {
    return [];
  }
}

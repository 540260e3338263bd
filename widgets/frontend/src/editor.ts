// The text field of a widget: CodeMirror with what a short program needs.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { highlighting } from "./modes";

// The colours stand in widget.css, so that the theme can change under the editor.
const COLOURS = HighlightStyle.define([
  { tag: tags.comment, color: "var(--comment)" },
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.tagName], color: "var(--keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character], color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--number)" },
  {
    tag: [tags.typeName, tags.className, tags.namespace, tags.standard(tags.name), tags.function(tags.variableName)],
    color: "var(--name)",
  },
  { tag: [tags.meta, tags.processingInstruction, tags.macroName], color: "var(--keyword)" },
]);
const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--editor)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-gutters": { color: "var(--faint)", backgroundColor: "var(--editor)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--active)" },
  ".cm-content ::selection, .cm-content::selection": { backgroundColor: "var(--selection)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)" },
  ".cm-specialChar": { color: "var(--bad)" },
});

export class Editor {
  #view: EditorView;
  #asleep = false;
  readonly #mode = new Compartment();
  readonly #indent = new Compartment();
  #wanted = "";

  /** `help` is the id of the element that tells how the keyboard leaves the editor. */
  constructor(
    private readonly root: ShadowRoot,
    private readonly parent: HTMLElement,
    text: string,
    help: string,
  ) {
    this.#view = new EditorView({
      root,
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          highlightSpecialChars(),
          highlightActiveLine(),
          history(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          this.#indent.of(indentUnit.of("    ")),
          EditorState.tabSize.of(4),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.contentAttributes.of({
            "aria-label": "Program",
            "aria-describedby": help,
            autocapitalize: "off",
            spellcheck: "false",
          }),
          syntaxHighlighting(COLOURS),
          LOOK,
          this.#mode.of([]),
        ],
      }),
    });
  }

  /** An editor that is not on the page listens to nothing there; its text and its history stay. */
  sleep(): void {
    this.#asleep = true;
    this.#view.destroy();
  }

  wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#view = new EditorView({ root: this.root, parent: this.parent, state: this.#view.state });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  set text(text: string) {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
  }

  selectAll(): void {
    this.#view.focus();
    this.#view.dispatch({ selection: { anchor: 0, head: this.#view.state.doc.length } });
  }

  async highlight(mode: string): Promise<void> {
    this.#wanted = mode;
    const extension = await highlighting(mode);
    // Another language may have been chosen while this one's chunk was on its way.
    if (this.#wanted !== mode) return;
    const unit = mode === "go" ? "\t" : "    ";
    this.#view.dispatch({
      effects: [this.#mode.reconfigure(extension), this.#indent.reconfigure(indentUnit.of(unit))],
    });
  }
}

// The service's side: a cell sent, and what it does told as it does it (execution/contexts/streaming.py).

export interface Item {
  is_primary: boolean;
  text?: string;
  html?: string;
  markdown?: string;
  svg?: string;
  png?: string;
  jpeg?: string;
  pdf?: string;
  latex?: string;
  json?: unknown;
  javascript?: string;
  extra?: Record<string, unknown>;
}

export interface CellError {
  name: string;
  value: string;
  traceback: string;
}

export type Happening =
  | { type: "begin"; context_id: string }
  | { type: "stdout" | "stderr"; text: string }
  | { type: "item"; item: Item; display_id?: string; update?: boolean }
  | { type: "end"; execution_count?: number; error?: CellError };

/** The service said no. `code` is the API's. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Posts fields as a form of this page would, and gives the answer. Throws Refusal; leaves the page for the sign-in
 * page where nobody is signed in any more. */
export async function post(url: string, fields: Record<string, string>, signal?: AbortSignal): Promise<Response> {
  const token = document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
  const answer = await fetch(url, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { "X-CSRFToken": token, "HX-Request": "true" },
    signal: signal ?? null,
  });
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) {
    location.assign(elsewhere);
    throw new Refusal("signed_out", "You have been signed out.");
  }
  if (answer.ok) return answer;
  if (answer.headers.get("Content-Type") === "application/json") {
    const told = (await answer.json()) as { code: string; message: string };
    throw new Refusal(told.code, told.message);
  }
  if (answer.status === 403) {
    throw new Refusal("forbidden", "This was not allowed. Reload the page: you may have been signed out.");
  }
  if (answer.status === 404) throw new Refusal("not_found", "This context is closed, or it has expired.");
  throw new Refusal("failed", "Something broke on our side. Try again in a moment.");
}

/** The lines of JSON of an answer, each when it is there. */
export async function* lines(answer: Response): AsyncGenerator<Happening> {
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n");
    rest = whole.pop() ?? "";
    for (const line of whole) yield JSON.parse(line) as Happening;
  }
}

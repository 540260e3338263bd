import type { Result, Watching } from "./types";

// Longer than any program with its compilation may take.
const PATIENCE_MS = 120_000;

/** One evaluation over HTTP. Rejects with what the service says where it refuses. */
export async function once(
  url: string,
  form: URLSearchParams,
  options?: (Watching & { timeout?: { time: number; callback: () => unknown } | null }) | null,
): Promise<Result> {
  const { stdout, timeout } = options ?? {};
  const going = new AbortController();
  const late = setTimeout(() => going.abort(new Error("The service did not answer in time")), PATIENCE_MS);
  const asking = timeout && setInterval(() => timeout.callback() && going.abort(new Error("Aborted")), timeout.time);
  try {
    const answer = await fetch(url, { method: "POST", body: form, signal: going.signal });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(text);
    const messages = JSON.parse(text) as Result[];
    for (const { command, data } of messages) if (command === "output") stdout?.(data);
    const result = messages.find(({ command }) => command === "result");
    if (!result) throw new Error("The service sent no result");
    return result;
  } finally {
    clearTimeout(late);
    if (asking) clearInterval(asking);
  }
}

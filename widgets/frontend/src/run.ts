// A run as the reader sees it, from the button to the exit status.
import { Connection, type Frame, GivenUp, type Listener, Refused } from "./connection";
import type { Output } from "./output";
import type { Service } from "./service";
import type { View } from "./view";

export interface Program {
  compiler: string;
  code: string;
  input: string;
}

const STATES: Record<string, string> = { queued: "Waiting for a place …", compiling: "Compiling …", running: "Running …" };
const TIME_LIMIT = 124;
const KILLED = 9;
const MOST_ATTEMPTS = 3;

export class Runner implements Listener {
  readonly #connection: Connection;
  #key = "";
  #program: Program = { compiler: "", code: "", input: "" };
  #id = 0;
  #busy = false;
  #attempts = 0;
  #heard = false;
  #complaint = "";
  #streamed = { stdout: false, stderr: false };

  constructor(
    private readonly service: Service,
    private readonly view: View,
    private readonly output: Output,
  ) {
    this.#connection = new Connection(service.socket, this);
  }

  get busy(): boolean {
    return this.#busy;
  }

  start(key: string, program: Program): void {
    if (this.#busy) return;
    this.output.clear();
    if (!key) return this.#refused("This editor has no key: its data-key attribute is missing.");
    this.#key = key;
    this.#program = program;
    this.#attempts = 0;
    this.#setBusy(true);
    void this.#attempt();
  }

  stop(): void {
    if (!this.#busy) return;
    if (this.#connection.busy) return this.#connection.send({ type: "stop" });
    // Still on the way there: nothing runs, and nobody would answer.
    this.#connection.close();
    this.#stopped();
  }

  input(line: string): void {
    this.#connection.send({ type: "input", data: line + "\n" });
    this.output.add("echo", line + "\n");
  }

  endInput(): void {
    this.#connection.send({ type: "input_end" });
    this.view.live.hidden = true;
  }

  /** Ends what runs and gives the connection back. */
  disconnect(): void {
    const busy = this.#busy;
    this.#connection.close();
    if (busy) this.#stopped();
  }

  // --- What the connection tells ---

  frame(frame: Frame): void {
    this.#heard = true;
    if (frame.type === "error" && frame.id === undefined) {
      this.#complaint = String(frame.message);
      return this.#note(this.#complaint);
    }
    if (frame.id !== String(this.#id)) return;
    if (frame.type === "state") this.view.tell("", ["", STATES[String(frame.state)] ?? ""]);
    else if (frame.type === "output") this.#print(frame.stream === "stderr" ? "stderr" : "stdout", String(frame.data));
    else if (frame.type === "result") this.#ended(frame);
    else if (frame.type === "stopped") this.#stopped();
    else if (frame.type === "error") this.#refused(String(frame.message));
  }

  lost(): void {
    // A connection that was kept may have died unnoticed: then the run never began.
    if (!this.#heard && this.#attempts++ < MOST_ATTEMPTS) return void this.#attempt();
    this.#note("The connection was lost, and the run ended with it.");
    this.#setBusy(false);
    void this.#reconnect();
  }

  closed(reason: string): void {
    // The frame before the close has said it, as a rule.
    if (reason !== this.#complaint) this.#note(reason);
    this.#setBusy(false);
    this.view.tell("bad", ["", "Ended by the service."]);
  }

  waiting(ms: number): void {
    const seconds = Math.max(1, Math.round(ms / 1000));
    this.view.tell("bad", ["", `${this.service.trouble} Trying again in ${seconds} s …`]);
  }

  // --- How it goes on and ends ---

  async #attempt(): Promise<void> {
    this.#heard = false;
    this.#complaint = "";
    this.#streamed = { stdout: false, stderr: false };
    this.view.tell("", ["", "Connecting …"]);
    if (!(await this.#connected())) return;
    this.view.tell("", ["", STATES.queued!]);
    // A filled input box is the whole input. An empty one leaves the input open for what is typed meanwhile.
    const interactive = !this.#program.input;
    this.#connection.begin({ type: "run", id: String(++this.#id), ...this.#program, interactive });
    this.view.live.hidden = !interactive;
  }

  async #reconnect(): Promise<void> {
    this.view.tell("bad", ["", "Connection lost. Connecting again …"]);
    if (!(await this.#connected())) return;
    this.#connection.end();
    this.view.tell("", ["", "Connected again. Nothing is running."]);
  }

  async #connected(): Promise<boolean> {
    try {
      await this.#connection.open(this.#key);
      return true;
    } catch (error) {
      if (error instanceof Refused) this.#refused(error.message);
      else if (!(error instanceof GivenUp)) throw error;
      return false;
    }
  }

  #print(stream: "stdout" | "stderr", text: string): void {
    this.#streamed[stream] = true;
    this.output.add(stream, text);
  }

  #ended(result: Frame): void {
    // The compiler's messages are no stream of the program.
    if (!this.#streamed.stdout) this.output.add("stdout", String(result.output ?? ""));
    if (!this.#streamed.stderr) this.output.add("stderr", String(result.error ?? ""));
    this.output.flush();
    const code = Number(result.exit_code);
    const compiling = Number(result.total) - Number(result.time);
    const parts: [string, string][] = [["exit", String(code)]];
    if (result.signal != null) parts.push(["signal", String(result.signal)]);
    parts.push(["time", `${result.time} s`]);
    if (compiling > 0.0001) parts.push(["compile", `${compiling.toFixed(4)} s`]);
    parts.push(["memory", `${(Number(result.memory) / 1024).toFixed(1)} MB`]);
    if (code === TIME_LIMIT && result.signal == null) this.#note("Ended: it ran longer than the time limit.");
    else if (result.signal === KILLED) this.#note("Ended: it used more memory or printed more than it may.");
    this.#setBusy(false);
    this.view.tell(code === 0 ? "ok" : "bad", ...parts);
  }

  #stopped(): void {
    this.output.flush();
    this.#setBusy(false);
    this.view.tell("", ["", "Stopped."]);
  }

  #refused(message: string): void {
    this.#note(message);
    this.#setBusy(false);
    this.view.tell("bad", ["", "Not run."]);
  }

  #note(text: string): void {
    this.output.add("note", text);
    this.output.flush();
  }

  #setBusy(busy: boolean): void {
    this.#busy = busy;
    this.view.busy = busy;
    if (busy) return;
    this.view.live.hidden = true;
    this.#connection.end();
  }
}

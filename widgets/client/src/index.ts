// A client of the ReplitClient protocol, with the methods of the npm package `replit-client` 0.25.0, for browsers and
// Node.js. Unlike that one it notices when the service has gone silent, and no promise of it stays open for ever.
import { Channel, Refused } from "./channel";
import { Debugger } from "./debugger";
import { Emitter } from "./events";
import { once } from "./once";
import type {
  FileState,
  LintMessage,
  Options,
  Result,
  SocketLike,
  SourceFile,
  TestReport,
  Token,
  Watching,
} from "./types";

const TIMEOUT_MS = 15_000;
const RETRY_MS = [500, 1_000, 1_500, 2_000, 2_500, 3_000];
const MAIN: Record<string, string> = {
  python: "main.py", python3: "main.py", ruby: "main.rb", php: "main.php", java: "Main.java", go: "main.go",
  nodejs: "index.js", csharp: "main.cs", fsharp: "main.fs", cpp: "main.cpp", cpp11: "main.cpp", c: "main.c",
  rust: "main.rs", lua: "main.lua", swift: "main.swift",
};

export class ReplitClient extends Emitter {
  private readonly host: string;
  private readonly secure: boolean;
  private readonly token: string;
  private readonly timeout: number;
  private connecting: Promise<Channel> | null = null;
  private channel: Channel | null = null;
  private stdout: Watching["stdout"] = null;
  /** What runs a program waits for the one before; a reset makes an end of them all. */
  private turn: Promise<unknown> = Promise.resolve();
  private resetting: Promise<unknown> = Promise.resolve();
  private era = 0;

  constructor(
    host: string,
    port: number | string,
    private readonly language: string,
    token: Token,
    private readonly socketCreator?: ((url: string) => SocketLike) | null,
    options?: Options | null,
  ) {
    super();
    const page = typeof location === "object" && location.protocol === "https:";
    const number = page && Number(port) === 80 ? 443 : Number(port);
    this.secure = options?.secure ?? (page || number === 443);
    this.host = `${host}:${number}`;
    this.token = typeof token === "string" ? token : `${token.time_created}:${token.msg_mac}`;
    this.timeout = options?.timeout ?? TIMEOUT_MS;
  }

  async connect(): Promise<this> {
    await this.session();
    return this;
  }

  async disconnect(): Promise<true> {
    const { channel } = this;
    this.connecting = this.channel = null;
    this.era += 1;
    await channel?.close();
    return true;
  }

  evaluate(code: string, options?: Watching | null): Promise<Result> {
    return this.run("eval", code, options);
  }

  evaluateOnce(code: string, options?: Parameters<typeof once>[2]): Promise<Result> {
    const form = new URLSearchParams({ auth: this.token, language: this.language, code });
    return once(`http${this.secure ? "s" : ""}://${this.host}/eval`, form, options);
  }

  async write(text: string): Promise<void> {
    (await this.session()).send("input", String(text));
  }

  stop(): Promise<Result> {
    return this.fresh("stop").then(({ answer }) => answer);
  }

  reset(): Promise<Result> {
    return this.fresh("reset").then(({ answer }) => answer);
  }

  runProject(files: SourceFile[], options?: Watching | null): Promise<Result> {
    return this.run("runProject", JSON.stringify(files), options);
  }

  async runUnitTests(suite: { files: SourceFile[]; suiteCode: string }): Promise<TestReport> {
    await this.reset();
    const { data, error } = await this.run("runUnitTests", JSON.stringify(suite), null);
    const { passed, failures } = data ? JSON.parse(data) : { passed: false, failures: [] };
    return { passed, failures, ...(error ? { error } : {}) };
  }

  runSingleUnitTests({ code, suiteCode }: { code: string; suiteCode: string }): Promise<TestReport> {
    return this.runUnitTests({ files: [{ name: MAIN[this.language] ?? "main", content: code }], suiteCode });
  }

  async lint(code: string): Promise<{ command: string; data: LintMessage[]; error?: string }> {
    const answer = await this.ask("lint", code, "lintResult");
    return { ...answer, data: JSON.parse(answer.data) };
  }

  async format(code: string): Promise<{ code: string } | { error: string }> {
    const { data, error } = await this.ask("format", code, "formatResult");
    return error ? { error } : { code: data };
  }

  fileContents(path: string): Promise<Result> {
    return this.ask("fileContents", path, (command) => command.startsWith("file:"));
  }

  removeFile(path: string): Promise<Result> {
    return this.ask("removeFile", path, "removeFile");
  }

  async fileChanges(): Promise<FileState[]> {
    return JSON.parse((await this.ask("changedFiles", "", "files")).data);
  }

  debug(code: string, options?: Watching | null): Debugger {
    const reset = this.fresh("reset").then(({ channel, era }) => {
      // Another reset has made an end of it before it began.
      if (era !== this.era) return null;
      this.stdout = options?.stdout;
      return channel;
    });
    const debug = new Debugger(reset, code);
    this.turn = debug.result().catch(() => undefined);
    return debug;
  }

  private async ask(command: string, data: string, accepts: string | ((command: string) => boolean)): Promise<Result> {
    return (await this.session()).ask(command, data, accepts);
  }

  /** Runs a program after those that run already, so that each gets its own output. */
  private run(command: string, data: string, options?: Watching | null): Promise<Result> {
    const { era, turn } = this;
    const result = turn.then(async () => {
      const channel = await this.session();
      if (era !== this.era) return { command: "result", data: "" };
      this.stdout = options?.stdout;
      return channel.ask(command, data, "result");
    });
    this.turn = result.catch(() => undefined);
    return result;
  }

  /** Stops everything, and waits until the session has begun anew. */
  private fresh(command: "stop" | "reset"): Promise<{ channel: Channel; era: number; answer: Result }> {
    this.era += 1;
    const { era } = this;
    const ready = this.resetting.then(async () => {
      const channel = await this.session();
      channel.skipPrograms();
      return { channel, era, answer: await channel.ask(command, "", "ready") };
    });
    this.resetting = this.turn = ready.catch(() => undefined);
    return ready;
  }

  /** The live session: the present one, the one that is being opened, or a new one. */
  private session(): Promise<Channel> {
    this.connecting ??= this.open().catch((error: Error) => {
      this.connecting = null;
      throw error;
    });
    return this.connecting;
  }

  private async open(): Promise<Channel> {
    this.emit("connecting");
    const url = `ws${this.secure ? "s" : ""}://${this.host}/ws`;
    const socket: SocketLike = this.socketCreator ? this.socketCreator(url) : new WebSocket(url);
    const channel: Channel = new Channel(socket, this.timeout, {
      told: (message) => this.told(message),
      lost: () => {
        if (this.channel === channel) this.retry();
      },
    });
    this.channel = channel;
    await channel.begin(this.token, this.language);
    this.emit("connected");
    return channel;
  }

  /** After a loss: tries again a few times, each a little later. Calls wait for it. */
  private retry(): void {
    this.era += 1;
    const attempt = async (): Promise<Channel> => {
      for (const delay of RETRY_MS) {
        this.emit("disconnected", { retry: true, delay });
        await new Promise((resolve) => setTimeout(resolve, delay));
        if (this.connecting !== trying) break;
        try {
          return await this.open();
        } catch (error) {
          if (error instanceof Refused) break;
        }
      }
      if (this.connecting === trying) this.connecting = null;
      this.emit("disconnected", { retry: false });
      throw new Error("The connection was lost");
    };
    // Begun behind this call, so that it can see whether it is still the one that counts.
    const trying: Promise<Channel> = Promise.resolve().then(attempt);
    trying.catch(() => undefined);
    this.connecting = trying;
  }

  private told(message: Result): void {
    const { command, data } = message;
    if (command === "output") this.stdout?.(data);
    else if (command === "files" || command.startsWith("event:")) this.emit(command, message);
    else if (command === "clearConsole") this.emit(command);
  }
}

export default ReplitClient;

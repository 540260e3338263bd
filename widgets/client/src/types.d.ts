/** The account's token: the string, or its two parts as a token generator makes them. */
export type Token = string | { time_created: number | string; msg_mac: string };

/** What came of an evaluation: `data` is the value as the language's REPL prints it, `error` the traceback. */
export interface Result {
  command: string;
  data: string;
  error?: string;
}

export interface Watching {
  /** Gets what the program prints, as it prints it. */
  stdout?: ((text: string) => void) | null;
}

export interface SourceFile {
  name: string;
  content: string;
}

export interface FileState {
  path: string;
  size: number;
  mtime: number;
}

export interface LintMessage {
  line: number;
  column: number;
  severity: string;
  message: string;
}

export interface TestFailure {
  name: string;
  message: string;
  stack: string;
}

export interface TestReport {
  passed: boolean;
  failures: TestFailure[];
  error?: string;
}

export interface Frame {
  function: string;
  file: string;
  line: number;
  locals: Record<string, unknown>;
}

/** Where a program stands: `stack` has the innermost frame first, and is empty when it is done. */
export interface Break {
  done: boolean;
  stack: Frame[];
}

/** The part of a WebSocket that the client uses; those of browsers, of Node.js and of the package `ws` have it. */
export interface SocketLike {
  send(data: string): void;
  close(): void;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
}

export interface Options {
  /** Milliseconds that connecting may take, and that the service may stay silent; 15000 when left out. */
  timeout?: number;
  /** TLS. Left out: on port 443, and on pages that came over https. */
  secure?: boolean;
}

type Listener = (...values: any[]) => void;

/** What both have: events, as those of Node.js. */
export interface Events {
  on(event: string, listener: Listener): this;
  once(event: string, listener: Listener): this;
  off(event: string, listener: Listener): this;
  emit(event: string, ...values: unknown[]): boolean;
}

export interface Debugger extends Events {
  /** One line further. After the end it gives the end again. */
  step(): Promise<Break>;
  /** Further, to the next line that is no deeper. */
  stepOver(): Promise<Break>;
  /** Further, until the present function has returned. */
  stepOut(): Promise<Break>;
  /** To the end. */
  resume(): Promise<Result>;
  /** How the program ended, once it has. */
  result(): Promise<Result>;
}

/**
 * A session with one language. Events: `connecting`, `connected`, `disconnected` `{retry, delay?}`, `files`,
 * `clearConsole` and `event:…`.
 */
export class ReplitClient implements Events {
  constructor(
    host: string,
    port: number | string,
    language: string,
    token: Token,
    socketCreator?: ((url: string) => SocketLike) | null,
    options?: Options | null,
  );

  /** Rejects where the service refuses (with its reason) or stays silent. */
  connect(): Promise<this>;
  /** Closes the session. A later call opens another. */
  disconnect(): Promise<true>;
  /** Runs code; state stays for the next call, in languages that interpret. What the program does wrong is in the
   * result; a connection that is lost rejects. */
  evaluate(code: string, options?: Watching | null): Promise<Result>;
  /** Runs code over HTTP, without a session. `timeout.callback` is asked every `timeout.time` milliseconds whether to stop. */
  evaluateOnce(
    code: string,
    options?: (Watching & { timeout?: { time: number; callback: () => unknown } | null }) | null,
  ): Promise<Result>;
  /** Gives the program standard input. */
  write(text: string): Promise<void>;
  /** Ends what runs; its promise resolves with an empty result. State is gone. */
  stop(): Promise<Result>;
  reset(): Promise<Result>;
  runProject(files: SourceFile[], options?: Watching | null): Promise<Result>;
  runUnitTests(suite: { files: SourceFile[]; suiteCode: string }): Promise<TestReport>;
  runSingleUnitTests(suite: { code: string; suiteCode: string }): Promise<TestReport>;
  lint(code: string): Promise<{ command: string; data: LintMessage[]; error?: string }>;
  format(code: string): Promise<{ code: string } | { error: string }>;
  fileContents(path: string): Promise<Result>;
  removeFile(path: string): Promise<Result>;
  /** The files that are new or changed since the last time; they also come as the event `files`. */
  fileChanges(): Promise<FileState[]>;
  debug(code: string, options?: Watching | null): Debugger;

  on(event: string, listener: Listener): this;
  once(event: string, listener: Listener): this;
  off(event: string, listener: Listener): this;
  emit(event: string, ...values: unknown[]): boolean;
}

export default ReplitClient;

// A paused program as plain data: its frames, the innermost first, and what their variables hold.

// Whoever looks at a stack looks at its top; further down, names and lines must do.
const FRAMES_WITH_LOCALS = 20;
const MOST_FRAMES = 5000;
const MOST_PLACES = 20_000;
const SCOPES = new Set(["local", "block", "catch", "with", "eval", "module"]);

// The files of the program's own, by the engine's ids.
const files = new Map();

export function parsed({ scriptId, url }) {
  const path = /^(?:file:\/\/)?\/work\/(?!.*node_modules)(.*)/.exec(url);
  if (path) files.set(scriptId, decodeURI(path[1]));
}

const fileOf = (frame) => files.get(frame.location.scriptId);

const instrumented = new Set();
const calls = new Set();
const placeOf = ({ scriptId, lineNumber, columnNumber }) => `${scriptId}:${lineNumber}:${columnNumber}`;

// Makes every statement of the file that the program has come to a place to stop at. A statement that is a call is one
// place with it; the calls inside an expression are such places too.
export async function instrument(session, [top]) {
  const { scriptId } = top.location;
  if (instrumented.has(scriptId)) return;
  instrumented.add(scriptId);
  const { locations } = await session.post("Debugger.getPossibleBreakpoints", {
    start: { scriptId, lineNumber: 0, columnNumber: 0 },
  });
  const { scriptSource } = await session.post("Debugger.getScriptSource", { scriptId });
  const source = scriptSource.split("\n");
  // The end of a function is a place to return from as well, and no statement. That of a return statement may be its only one.
  const isReturn = ({ lineNumber, columnNumber }) => /\breturn\b/.test(source[lineNumber]?.slice(0, columnNumber));
  const places = locations.filter((place) => place.type !== "return" || isReturn(place)).slice(0, MOST_PLACES);
  for (const place of places) if (place.type === "call") calls.add(placeOf(place));
  await Promise.all(places.map((location) => session.post("Debugger.setBreakpoint", { location }).catch(() => {})));
}

// For each depth of the stack, where the program last was: the line, and how far into it.
const lines = [];

// A step leads to the first place of a line. The others of the line belong to it, in the order in which an expression is
// evaluated, and so does what is left of it after a call; what comes back to its beginning has come round again.
export function isSameStep({ location }, depth) {
  const { scriptId, lineNumber, columnNumber } = location;
  const line = `${scriptId}:${lineNumber}`;
  const last = lines[depth];
  lines.length = depth;
  lines[depth] = { line, columnNumber };
  if (last?.line !== line || columnNumber === last.columnNumber) return false;
  return columnNumber > last.columnNumber || calls.has(placeOf(location));
}

export async function stackOf(session, callFrames) {
  const users = callFrames.filter(fileOf);
  // Printing a variable may run the program's own code, which must not stop in turn.
  await session.post("Debugger.setSkipAllPauses", { skip: true });
  const stack = [];
  for (const frame of users.slice(0, MOST_FRAMES)) {
    const isOutermost = frame === users.at(-1);
    stack.push({
      function: frame.functionName || (isOutermost ? "<main>" : "<anonymous>"),
      file: fileOf(frame),
      line: frame.location.lineNumber + 1,
      locals: stack.length < FRAMES_WITH_LOCALS ? await localsOf(session, frame, isOutermost) : {},
    });
  }
  await session.post("Debugger.setSkipAllPauses", { skip: false });
  return stack;
}

async function localsOf(session, frame, isOutermost) {
  let found = {};
  for (const { type, object } of frame.scopeChain) {
    // What lies around a function is its neighbours' affair.
    if (!SCOPES.has(type)) continue;
    const { result } = await session.post("Runtime.callFunctionOn", {
      objectId: object.objectId,
      functionDeclaration: "function (inner, isWrapper) { return __debugger.locals(this, inner, isWrapper); }",
      arguments: [{ value: found }, { value: isOutermost }],
      returnByValue: true,
    });
    found = result.value ?? found;
  }
  return found;
}

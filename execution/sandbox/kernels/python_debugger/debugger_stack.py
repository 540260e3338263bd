"""A stopped program as plain data: its frames, the innermost first, and what their variables hold."""

import reprlib
import types

WORK = "/work/"
# Whoever looks at a stack looks at its top; further down, names and lines must do. A debugger's client goes by the
# number of frames, so that they are all told, as far as any program without a fault of its own goes.
MOST_FRAMES, FRAMES_WITH_LOCALS = 5000, 20
MOST_LOCALS, MOST_CHARACTERS = 100, 200

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = MOST_CHARACTERS
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = _repr.maxfrozenset = _repr.maxdeque = _repr.maxarray = (
    30
)


def is_users(code):
    """Whether code is the program's own, not a library's."""
    return code.co_filename.startswith(WORK)


def frames_of(frame):
    found = []
    while frame is not None and len(found) < MOST_FRAMES:
        if is_users(frame.f_code):
            found.append(
                {
                    "function": frame.f_code.co_qualname,
                    "file": frame.f_code.co_filename.removeprefix(WORK),
                    "line": frame.f_lineno,
                    "locals": _locals(frame) if len(found) < FRAMES_WITH_LOCALS else {},
                }
            )
        frame = frame.f_back
    return found


def _locals(frame):
    shown = {}
    for name, value in dict(frame.f_locals).items():
        if len(shown) == MOST_LOCALS:
            break
        # What every module has, and the names of imported ones, tell nothing.
        if not (name.startswith("__") and name.endswith("__")) and not isinstance(value, types.ModuleType):
            shown[name] = _printed(value)
    return shown


def _printed(value):
    try:
        text = _repr.repr(value)
    except Exception:
        # Printing is the program's own code, and may fail.
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"

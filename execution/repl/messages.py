"""The messages of the protocol: `{"command", "data"}`, and `error` where something failed. All values are strings."""

import json
from collections.abc import Mapping
from typing import Any

from config.errors import InvalidRequest
from execution.json_body import printable
from execution.repl.languages import LANGUAGES, Language

Message = dict[str, str]


def message(command: str, data: str = "", error: str = "") -> Message:
    """An empty error is none."""
    return {"command": command, "data": data, **({"error": error} if error else {})}


def json_message(command: str, data: Any) -> Message:
    """A message whose data is JSON, as text."""
    return message(command, json.dumps(data, ensure_ascii=False))


def message_of(frame: Mapping[str, Any]) -> tuple[str, str]:
    """The command and the data of an ASGI `websocket.receive`. Data that is no string is made one, as clients expect
    that write numbers. Raises InvalidRequest."""
    text = frame.get("text")
    try:
        value = json.loads(text if text is not None else (frame.get("bytes") or b"").decode())
    except (ValueError, RecursionError):
        raise InvalidRequest('A message is a JSON object: {"command": "…", "data": "…"}.') from None
    if not isinstance(value, dict) or not isinstance(command := value.get("command"), str):
        raise InvalidRequest('A message is a JSON object with a "command", which is a string.')
    data = value.get("data", "")
    if data is None:
        data = ""
    return command, data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def language_of(name: str) -> Language:
    """Raises InvalidRequest for a language that this protocol does not have."""
    language = LANGUAGES.get(name)
    if language is None:
        names = ", ".join(LANGUAGES)
        raise InvalidRequest(f"“{printable(name)}” is no language here. These are: {names}.")
    return language

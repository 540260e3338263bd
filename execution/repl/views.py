"""`POST /eval`: one evaluation over HTTP, with a fresh state."""

from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from config.errors import InvalidRequest
from execution.repl.access import caller_of
from execution.repl.evaluations import Screen, evaluate_once
from execution.repl.messages import Message, language_of, message
from execution.sandbox.live import Live

_FIELDS: Final = ("auth", "language", "code")


@csrf_exempt
@require_POST
async def evaluate(request: HttpRequest) -> HttpResponse:
    """200 and a JSON array of messages: `output`s, then one `result`. A refusal is its sentence in plain text, which is
    what the client shows (config.api_paths)."""
    auth, name, code = _form(request)
    caller = await caller_of(auth, request.scope)  # type: ignore[attr-defined]
    language = language_of(name)
    shown: list[str] = []

    def show(_live: Live, text: str) -> None:
        shown.append(text)

    value = await evaluate_once(caller, language, code, Screen(show, hold_errors=language.kernel is None))
    messages: list[Message] = [message("output", "".join(shown))] if shown else []
    messages.append(message("result", value.data, value.error))
    return JsonResponse(messages, safe=False)


def _form(request: HttpRequest) -> list[str]:
    """The fields, whatever the Content-Type says of the form: the client adds a parameter of its own to it."""
    try:
        form = QueryDict(request.body, encoding="utf-8")
    except ValueError as error:
        raise InvalidRequest("The form could not be read.") from error
    for field in _FIELDS:
        if field not in form:
            raise InvalidRequest(f"Send the form fields auth, language and code; {field} is missing.")
    return [str(form[field]) for field in _FIELDS]

"""One method of one endpoint, as data, and how drf-spectacular is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse

from execution.openapi import refusals
from execution.openapi.parts import Schema

JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A good answer: its schema (None: no body), what it means, and an example; `media` is its type."""

    schema: Schema | None
    description: str
    example: Any = None
    media: str = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`url` is the name of the URL pattern, `answers` are by status, `refused` are codes beside those that follow from
    the rest. `raw`: its body is any bytes. `keyed`: it needs an API key. `counted`: it starts a run. `repeatable`: it
    heeds Idempotency-Key."""

    url: str
    method: str
    id: str
    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    body: Schema | None = None
    example: Mapping[str, Any] | str | None = None
    parameters: tuple[OpenApiParameter, ...] = ()
    refused: tuple[str, ...] = ()
    raw: bool = False
    keyed: bool = True
    counted: bool = False
    repeatable: bool = False

    def spectacular(self) -> dict[str, Any]:
        """The arguments of `extend_schema`."""
        request = None
        if self.body is not None:
            examples = [OpenApiExample(self.id, value=self.example, request_only=True)] if self.example else []
            request = {BYTES if self.raw else JSON: OpenApiRequest(self.body, examples=examples)}
        return {
            "operation_id": self.id,
            "summary": self.summary,
            "description": self.description,
            "tags": [self.tag],
            "auth": [{"bearer": []}, {"authorization": []}, {"x-api-key": []}] if self.keyed else [],
            "request": request,
            "parameters": [*self.parameters, *self._headers()],
            "responses": {**self._answers(), **refusals.responses(self._codes())},
        }

    def _answers(self) -> dict[int | tuple[int, str], OpenApiResponse]:
        found: dict[int | tuple[int, str], OpenApiResponse] = {}
        for status, answer in self.answers.items():
            example = [] if answer.example is None else [OpenApiExample(self.id, value=answer.example)]
            for each in example:
                each.response_only, each.status_codes = True, [str(status)]
            found[status if answer.media == JSON else (status, answer.media)] = OpenApiResponse(
                answer.schema, description=answer.description, examples=example
            )
        return found

    def _codes(self) -> tuple[str, ...]:
        return (
            *self.refused,
            *(refusals.WITH_KEY if self.keyed else ()),
            *(refusals.WITH_BYTES if self.raw else refusals.WITH_BODY if self.body is not None else ()),
            *(refusals.WITH_QUERY if any(each.location == "query" for each in self.parameters) else ()),
            *(refusals.IDEMPOTENT if self.repeatable else ()),
            *(refusals.WITH_RUN if self.counted else ()),
            *(("unavailable",) if self.counted else ()),
            *refusals.ANYWHERE,
        )

    def _headers(self) -> list[OpenApiParameter]:
        headers = []
        statuses = [str(status) for status in self.answers]
        if self.repeatable:
            about = "A name for this request, 1 to 255 visible ASCII characters: sent again, it is answered again."
            pattern = r"^[\x21-\x7e]{1,255}$"
            headers.append(_header("Idempotency-Key", about, type=_text(pattern)))
            replayed = "`true` on an answer that was given before."
            headers.append(_header("Idempotency-Replayed", replayed, type=_text("^true$"), response=statuses))
        if self.counted:
            for name, about in (
                ("RateLimit-Policy", "The limits that count here."),
                ("RateLimit", "What is left of them."),
            ):
                headers.append(_header(name, about, response=[*statuses, "429"]))
            headers.append(_header("Retry-After", "Seconds to wait.", type=int, response=["429"]))
        return headers


def _header(name: str, description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, location=OpenApiParameter.HEADER, description=description, **options)


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}

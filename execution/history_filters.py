"""What a client may ask of the history: `GET /api/runs/?compiler=&status=&…`, a page at a time.

Pages are cut by id, the newest first: a page stays the same while new runs arrive, and the thousandth costs no more
than the first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime

from config.errors import FieldError, InvalidRequest
from execution.catalogue import COMPILERS
from execution.json_body import printable
from execution.models import Batch, Run
from execution.sandbox.job import Outcome
from execution.verdicts import Verdict

T = TypeVar("T")
Row = TypeVar("Row", Run, Batch)

PAGE: Final = 50
MOST: Final = 100
LARGEST_ID: Final = 2**63 - 1

OUTCOMES: Final = tuple(outcome.value for outcome in Outcome if outcome is not Outcome.INTERNAL_ERROR)

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "compiler": tuple(COMPILERS),
    "status": tuple(Run.Status.values),
    "outcome": OUTCOMES,
    "surface": tuple(Run.Surface.values),
    "verdict": tuple(verdict.value for verdict in Verdict),
}
_NUMBERS: Final = ("key", "batch", "cursor")
_COLUMNS: Final = {"key": "key_id", "batch": "batch_id"}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which runs, and which page of them. Empty and None mean: all."""

    compiler: str = ""
    status: str = ""
    outcome: str = ""
    surface: str = ""
    verdict: str = ""
    key: int | None = None
    batch: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: int | None = None
    limit: int = PAGE

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Filters":
        """From a query string; parameters it does not know are passed over. Raises InvalidRequest."""
        errors: list[FieldError] = []

        def taken(name: str, take: Callable[[str], T], default: T) -> T:
            # An empty parameter is a form's field that was left empty.
            if not (text := query.get(name, "").strip()):
                return default
            try:
                return take(text)
            except ValueError as error:
                errors.append(FieldError(name, str(error)))
                return default

        values: dict[str, Any] = {
            name: taken(name, lambda text, among=among: _one_of(text, among), "")  # type: ignore[misc]
            for name, among in _CHOICES.items()
        }
        values |= {name: taken(name, _id, None) for name in _NUMBERS}
        filters = cls(
            **values,
            since=taken("from", _moment, None),
            until=taken("to", _moment, None),
            limit=taken("limit", _limit, PAGE),
        )
        if errors:
            raise InvalidRequest(f"{errors[0].field}: {errors[0].error}", errors=errors)
        return filters

    @property
    def narrows(self) -> bool:
        """Whether anything is left out, beside other pages."""
        return replace(self, cursor=None, limit=PAGE) != Filters()

    def to_query(self) -> str:
        """A query string from which `from_query` makes these filters again."""
        values: dict[str, Any] = {name: getattr(self, name) for name in (*_CHOICES, *_NUMBERS)}
        values["from"] = self.since.isoformat() if self.since else ""
        values["to"] = self.until.isoformat() if self.until else ""
        values["limit"] = self.limit if self.limit != PAGE else ""
        return urlencode({name: value for name, value in values.items() if value not in ("", None)})

    def page(self, runs: QuerySet[Run]) -> tuple[list[Run], "Filters | None"]:
        """The runs of this page, without their programs and outputs, and the filters of the next page. Blocks."""
        chosen: dict[str, Any] = {name: value for name in _CHOICES if (value := getattr(self, name))}
        chosen |= {column: value for name, column in _COLUMNS.items() if (value := getattr(self, name)) is not None}
        where = Q(**chosen)
        if self.since:
            where &= Q(created_at__gte=self.since)
        if self.until:
            where &= Q(created_at__lt=self.until)
        if self.cursor is not None:
            where &= Q(pk__lt=self.cursor)
        light = runs.filter(where).defer("request", "extra_params", "stdout", "stderr", "compile_output", "files")
        return self.cut(list(light.order_by("-pk")[: self.limit + 1]))

    def cut(self, found: list[Row]) -> tuple[list[Row], "Filters | None"]:
        """A page of what was `found` with one more than it holds, and the filters of the next."""
        page = found[: self.limit]
        return page, replace(self, cursor=page[-1].pk) if len(found) > self.limit else None


def _one_of(text: str, among: tuple[str, ...]) -> str:
    if text not in among:
        raise ValueError(f"“{printable(text)}” is none of {', '.join(among)}.")
    return text


def _id(text: str) -> int:
    # A playground's run carries the member's negative id in the place of a key's.
    if not text.removeprefix("-").isdecimal() or len(text) > 19 or abs(int(text)) > LARGEST_ID:
        raise ValueError("Must be an id, a whole number.")
    return int(text)


def _limit(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise ValueError(f"Must be from 1 to {MOST}.")
    return int(text)


def _moment(text: str) -> datetime:
    """A date, or a date and a time, of ISO 8601; in UTC unless it names an offset."""
    try:
        # A plus that was not percent-encoded arrives as a blank.
        moment = parse_datetime(text.replace(" ", "+") if text.count(":") > 2 else text)
        if moment is None and (day := parse_date(text)):
            moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (the zone is set below)
        if moment is not None:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("Must be a date or a time of ISO 8601, such as 2026-03-01 or 2026-03-01T12:00:00Z.")

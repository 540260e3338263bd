"""Serializer fields that take a JSON value for what it is: no number for a string, no `true` for 1, no `"5"` for 5."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from rest_framework import serializers

from execution.json_body import printable


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(value[error.start]):04x}"
        raise serializers.ValidationError(f"Holds half a surrogate pair ({half}) at character {error.start}.") from None


class Text(serializers.Field[bytes, Any, Any, Any]):
    """Any Unicode string, NUL included, of at most `limit` bytes of UTF-8, which is what it becomes."""

    def __init__(self, *, limit: int, **options: Any) -> None:
        super().__init__(**options)
        self.limit = limit

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        encoded = _utf8(data)
        if len(encoded) > self.limit:
            raise serializers.ValidationError(
                f"Has {len(encoded):,} bytes of UTF-8; at most {self.limit:,} are allowed."
            )
        return encoded


class Word(serializers.Field[str, Any, Any, Any]):
    """A string for the kernel (an argument, a name): any Unicode but NUL, which ends a string there.

    `check` returns what is wrong with it, or None.
    """

    def __init__(self, *, check: Callable[[str], str | None] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        _utf8(data)
        if "\0" in data:
            raise serializers.ValidationError("Must not hold NUL.")
        if self.check is not None and (error := self.check(data)):
            raise serializers.ValidationError(error)
        return data


class Choice(serializers.Field[str, Any, Any, Any]):
    """One of the names `among`, to the letter; `what` each of them is, for people: "compiler"."""

    def __init__(self, what: str, *, among: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.what, self.among = what, among

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        if data not in self.among:
            known = ", ".join(self.among)
            raise serializers.ValidationError(f"“{printable(data)}” is no {self.what}; choose one of {known}.")
        return data


class Flag(serializers.Field[bool, Any, Any, Any]):
    """`true` or `false`."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class Whole(serializers.Field[int, Any, Any, Any]):
    """An integer from `least` to `most`."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Must be an integer.")
        if not self.least <= data <= self.most:
            raise serializers.ValidationError(f"Must be from {self.least} to {self.most}.")
        return data


Unit = Literal["seconds", "milliseconds"]
_PER_SECOND: Final[dict[Unit, int]] = {"seconds": 1, "milliseconds": 1000}


class Seconds(serializers.Field[float, Any, Any, Any]):
    """A time above zero as a number of `unit`; it becomes seconds."""

    def __init__(self, *, unit: Unit = "seconds", **options: Any) -> None:
        super().__init__(**options)
        self.unit = unit

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(f"Must be a number of {self.unit}.")
        if data <= 0:
            raise serializers.ValidationError("Must be above zero.")
        # Also keeps an integer of hundreds of digits from overflowing a float.
        return float(min(data, 86_400 * _PER_SECOND[self.unit])) / _PER_SECOND[self.unit]


class Real(serializers.Field[float, Any, Any, Any]):
    """A number from `least` to `most`."""

    def __init__(self, *, least: float, most: float, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError("Must be a number.")
        if not self.least <= data <= self.most:
            raise serializers.ValidationError(f"Must be from {self.least:g} to {self.most:g}.")
        return float(data)


class Anything(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A JSON object, looked into no further."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        return data


class Items(serializers.Field[tuple[str, ...], Any, Any, Any]):
    """An array of at most `most` words."""

    def __init__(self, *, most: int, check: Callable[[str], str | None] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.most = most
        self.item = Word(check=check)

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        if not isinstance(data, list):
            raise serializers.ValidationError("Must be an array of strings.")
        if len(data) > self.most:
            raise serializers.ValidationError(f"Has {len(data):,} items; at most {self.most} are allowed.")
        return tuple(_each(self.item, enumerate(data)).values())


class Objects(serializers.Field[tuple[dict[str, Any], ...], Any, Any, Any]):
    """An array of `least` to `most` objects, each as `item` takes it."""

    def __init__(self, *, least: int, most: int, item: serializers.Serializer[Any], **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most, self.item = least, most, item

    def to_internal_value(self, data: Any) -> tuple[dict[str, Any], ...]:
        if not isinstance(data, list):
            raise serializers.ValidationError("Must be an array of objects.")
        if not self.least <= len(data) <= self.most:
            raise serializers.ValidationError(
                f"Has {len(data):,} items; from {self.least} to {self.most:,} are allowed."
            )
        return tuple(_each(self.item, enumerate(data)).values())


class Table(serializers.Field[dict[str, Any], Any, Any, Any]):
    """An object of at most `most` entries, whose names are `name`'s and whose values are `value`'s."""

    def __init__(self, *, most: int, name: Word, value: serializers.Field[Any, Any, Any, Any], **options: Any) -> None:
        super().__init__(**options)
        self.most, self.name, self.value = most, name, value

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        if len(data) > self.most:
            raise serializers.ValidationError(f"Has {len(data):,} entries; at most {self.most} are allowed.")
        _each(self.name, zip(data, data, strict=True))
        return _each(self.value, data.items())


_Item = serializers.Field[Any, Any, Any, Any] | serializers.Serializer[Any]


def _each(item: _Item, pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """Every value of `pairs` as `item` takes it; all refusals together, under their index or name."""
    values: dict[Any, Any] = {}
    errors: dict[str, Any] = {}
    for key, value in pairs:
        try:
            values[key] = item.to_internal_value(value)
        except serializers.ValidationError as error:
            errors[str(key)] = error.detail
    if errors:
        raise serializers.ValidationError(errors)
    return values

"""Serializer fields that take a JSON value for what it is: no number for a string, no `true` for 1, no `"5"` for 5.

Each tells its rule as JSON Schema too (`json_schema`), as far as that language can: sizes in bytes it cannot, so a
`maxLength` is what no valid text exceeds, in characters.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Generic, Literal, TypeVar

from rest_framework import serializers

from execution.json_body import printable


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(value[error.start]):04x}"
        raise serializers.ValidationError(f"Holds half a surrogate pair ({half}) at character {error.start}.") from None


T = TypeVar("T")


class JsonField(serializers.Field[T, Any, Any, Any], Generic[T]):
    """A field that can describe itself."""

    def json_schema(self) -> dict[str, Any]:
        """What it takes, without `null`: that a field may be left out is said by whoever holds it."""
        raise NotImplementedError


class Text(JsonField[bytes]):
    """Any Unicode string, NUL included, of at most `limit` bytes of UTF-8, which is what it becomes."""

    def __init__(self, *, limit: int, **options: Any) -> None:
        super().__init__(**options)
        self.limit = limit

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.limit}

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        encoded = _utf8(data)
        if len(encoded) > self.limit:
            raise serializers.ValidationError(
                f"Has {len(encoded):,} bytes of UTF-8; at most {self.limit:,} are allowed."
            )
        return encoded


class Word(JsonField[str]):
    """A string for the kernel (an argument, a name): any Unicode but NUL, which ends a string there.

    `check` returns what is wrong with it, or None.
    """

    def __init__(self, *, check: Callable[[str], str | None] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[^\u0000]*$"}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        _utf8(data)
        if "\0" in data:
            raise serializers.ValidationError("Must not hold NUL.")
        if self.check is not None and (error := self.check(data)):
            raise serializers.ValidationError(error)
        return data


class Choice(JsonField[str]):
    """One of the names `among`, to the letter; `what` each of them is, for people: "compiler"."""

    def __init__(self, what: str, *, among: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.what, self.among = what, among

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.among)}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        if data not in self.among:
            known = ", ".join(self.among)
            raise serializers.ValidationError(f"“{printable(data)}” is no {self.what}; choose one of {known}.")
        return data


class Flag(JsonField[bool]):
    """`true` or `false`."""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class Whole(JsonField[int]):
    """An integer from `least` to `most`."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Must be an integer.")
        if not self.least <= data <= self.most:
            raise serializers.ValidationError(f"Must be from {self.least} to {self.most}.")
        return data


Unit = Literal["seconds", "milliseconds"]
_PER_SECOND: Final[dict[Unit, int]] = {"seconds": 1, "milliseconds": 1000}


class Seconds(JsonField[float]):
    """A time above zero as a number of `unit`; it becomes seconds."""

    def __init__(self, *, unit: Unit = "seconds", **options: Any) -> None:
        super().__init__(**options)
        self.unit = unit

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "exclusiveMinimum": 0}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(f"Must be a number of {self.unit}.")
        if data <= 0:
            raise serializers.ValidationError("Must be above zero.")
        # Also keeps an integer of hundreds of digits from overflowing a float.
        return float(min(data, 86_400 * _PER_SECOND[self.unit])) / _PER_SECOND[self.unit]


class Real(JsonField[float]):
    """A number from `least` to `most`."""

    def __init__(self, *, least: float, most: float, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.least, "maximum": self.most}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError("Must be a number.")
        if not self.least <= data <= self.most:
            raise serializers.ValidationError(f"Must be from {self.least:g} to {self.most:g}.")
        return float(data)


class Anything(JsonField[dict[str, Any]]):
    """A JSON object, looked into no further."""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        return data


class Items(JsonField[tuple[str, ...]]):
    """An array of at most `most` words."""

    def __init__(self, *, most: int, check: Callable[[str], str | None] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.most = most
        self.item = Word(check=check)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.json_schema(), "maxItems": self.most}

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        if not isinstance(data, list):
            raise serializers.ValidationError("Must be an array of strings.")
        if len(data) > self.most:
            raise serializers.ValidationError(f"Has {len(data):,} items; at most {self.most} are allowed.")
        return tuple(_each(self.item, enumerate(data)).values())


class Objects(JsonField[tuple[dict[str, Any], ...]]):
    """An array of `least` to `most` objects, each as `item` takes it."""

    def __init__(self, *, least: int, most: int, item: serializers.Serializer[Any], **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most, self.item = least, most, item

    def json_schema(self) -> dict[str, Any]:
        item = body_schema(self.item)
        return {"type": "array", "items": item, "minItems": self.least, "maxItems": self.most}

    def to_internal_value(self, data: Any) -> tuple[dict[str, Any], ...]:
        if not isinstance(data, list):
            raise serializers.ValidationError("Must be an array of objects.")
        if not self.least <= len(data) <= self.most:
            raise serializers.ValidationError(
                f"Has {len(data):,} items; from {self.least} to {self.most:,} are allowed."
            )
        return tuple(_each(self.item, enumerate(data)).values())


class Table(JsonField[dict[str, Any]]):
    """An object of at most `most` entries, whose names are `name`'s and whose values are `value`'s."""

    def __init__(self, *, most: int, name: Word, value: JsonField[Any], **options: Any) -> None:
        super().__init__(**options)
        self.most, self.name, self.value = most, name, value

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "propertyNames": self.name.json_schema(),
            "additionalProperties": self.value.json_schema(),
            "maxProperties": self.most,
        }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        if len(data) > self.most:
            raise serializers.ValidationError(f"Has {len(data):,} entries; at most {self.most} are allowed.")
        _each(self.name, zip(data, data, strict=True))
        return _each(self.value, data.items())


_Item = serializers.Field[Any, Any, Any, Any] | serializers.Serializer[Any]


def body_schema(
    serializer: serializers.Serializer[Any], *, only: Collection[str] | None = None, nullable: bool = True
) -> dict[str, Any]:
    """JSON Schema of the object that a serializer takes, or of its fields `only` those.

    `nullable`: it is said that `null` stands for an optional field that is left out.
    """
    fields = {name: field for name, field in serializer.fields.items() if only is None or name in only}
    return {
        "type": "object",
        "properties": {name: _property(field, nullable=nullable) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
    }


def _property(field: serializers.Field[Any, Any, Any, Any], *, nullable: bool) -> dict[str, Any]:
    if isinstance(field, serializers.Serializer):
        schema = body_schema(field, nullable=nullable)
    elif isinstance(field, JsonField):
        schema = field.json_schema()
    else:
        raise TypeError(f"{field} cannot describe itself")
    if field.help_text:
        schema["description"] = str(field.help_text)
    if field.allow_null and nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


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

"""What a client may ask of a run: the body of `POST /api/run-code-sync/`, checked before anything is counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rest_framework import serializers

from config.errors import FieldError, InvalidRequest
from execution.catalogue import COMPILERS, Compiler
from execution.fields import Anything, Flag, Items, Seconds, Table, Text, Whole, Word
from execution.json_body import printable
from execution.paths import clash, path_error

KB: Final = 1024
CODE_BYTES: Final = 100 * KB
INPUT_BYTES: Final = 100 * KB
FILES: Final = 100
FILES_BYTES: Final = 1024 * KB
# Arguments and environment reach the program through execve, which takes a good deal more than this.
ARGS: Final = 32
ARGS_BYTES: Final = 32 * KB
ENV: Final = 64
ENV_BYTES: Final = 32 * KB
OUTPUT_FILES: Final = 32
MEMORY_MB: Final = (16, 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A valid request. `time_limit` (seconds) and `memory_limit` (MB) are what was asked for, or None.

    `files` holds every file of the program, `entrypoint` among them.
    """

    compiler: Compiler
    files: Mapping[str, bytes]
    entrypoint: str
    input: bytes = b""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    time_limit: float | None = None
    memory_limit: int | None = None
    output_files: tuple[str, ...] = ()
    extended: bool = False

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "RunRequest":
        """From a body's JSON object. Raises InvalidRequest with an error for each field that is wrong.

        Fields that are not known are passed over, and `null` stands for an optional field that is left out.
        """
        try:
            fields = _SERIALIZER.run_validation(data)
        except serializers.ValidationError as error:
            raise _invalid(list(_field_errors(error.detail))) from None
        compiler: Compiler = fields["compiler"]
        code: bytes = fields["code"]
        files: dict[str, bytes] = fields.get("files") or {}
        entrypoint: str = fields.get("entrypoint") or compiler.file_name
        path = _code_path(code=code, entrypoint=entrypoint, file_name=compiler.file_name, files=files)
        return cls(
            compiler=compiler,
            files=files if path is None else {path: code, **files},
            entrypoint=entrypoint,
            input=fields.get("input") or b"",
            args=fields.get("args") or (),
            env=fields.get("env") or {},
            time_limit=fields.get("time_limit"),
            memory_limit=fields.get("memory_limit"),
            output_files=fields.get("output_files") or (),
            extended=fields.get("extended") or False,
        )


def _code_path(*, code: bytes, entrypoint: str, file_name: str, files: Mapping[str, bytes]) -> str | None:
    """Where `code` stands: under the entrypoint's name, or beside it when that is one of `files` (None: nowhere)."""
    if entrypoint not in files:
        return entrypoint
    return file_name if code else None


class CompilerField(serializers.Field[Compiler, Any, Any, Any]):
    """The identifier of a compiler of the catalogue, installed here or not."""

    def to_internal_value(self, data: Any) -> Compiler:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        if data not in COMPILERS:
            raise serializers.ValidationError(f"“{printable(data)}” is no compiler; choose one of {_KNOWN}.")
        return COMPILERS[data]


_KNOWN: Final = ", ".join(COMPILERS)


def _env_name_error(name: str) -> str | None:
    return "A name must not be empty or hold “=”." if not name or "=" in name else None


def _optional(**options: Any) -> dict[str, Any]:
    return {"required": False, "allow_null": True, **options}


class RunRequestSerializer(serializers.Serializer[Any]):
    """The fields as they stand in the body; the API reference in docs/api.md explains them."""

    compiler = CompilerField()
    code = Text(limit=CODE_BYTES)
    input = Text(limit=INPUT_BYTES, **_optional())
    # Handed back with the result of an asynchronous run; there is nothing to hand it back with here.
    extra_params = Anything(**_optional())
    files = Table(most=FILES, name=Word(check=path_error), value=Text(limit=FILES_BYTES), **_optional())
    entrypoint = Word(check=path_error, **_optional())
    args = Items(most=ARGS, **_optional())
    env = Table(most=ENV, name=Word(check=_env_name_error), value=Word(), **_optional())
    time_limit = Seconds(**_optional())
    memory_limit = Whole(least=MEMORY_MB[0], most=MEMORY_MB[1], **_optional())
    output_files = Items(most=OUTPUT_FILES, check=path_error, **_optional())
    extended = Flag(**_optional())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What concerns several values at once: the caps on sums, and file names that exclude each other."""
        files: Mapping[str, bytes] = attrs.get("files") or {}
        args: tuple[str, ...] = attrs.get("args") or ()
        env: Mapping[str, str] = attrs.get("env") or {}
        _check_sum("files", sum(map(len, files.values())), FILES_BYTES)
        _check_sum("args", sum(len(arg.encode()) for arg in args), ARGS_BYTES)
        _check_sum("env", sum(len(name.encode()) + len(value.encode()) for name, value in env.items()), ENV_BYTES)
        file_name = attrs["compiler"].file_name
        entrypoint = attrs.get("entrypoint") or file_name
        _check_names(files, _code_path(code=attrs["code"], entrypoint=entrypoint, file_name=file_name, files=files))
        return attrs


def _check_sum(field: str, size: int, limit: int) -> None:
    if size > limit:
        raise serializers.ValidationError(
            {field: f"Have {size:,} bytes of UTF-8 together; at most {limit:,} are allowed."}
        )


def _check_names(files: Mapping[str, bytes], path: str | None) -> None:
    if path is not None and path in files:
        raise serializers.ValidationError({"files": {path: "Is the name that `code` has; send the program once."}})
    if both := clash(files if path is None else [*files, path]):
        raise serializers.ValidationError({"files": {both: "Is a file and a folder at once."}})


# Holds no state between validations: one for all requests saves copying its fields for each.
_SERIALIZER: Final = RunRequestSerializer()


def _invalid(errors: list[FieldError]) -> InvalidRequest:
    """The refusal; its sentence tells the first error, for those who only print that."""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return InvalidRequest(f"{errors[0].field}: {errors[0].error}{more}", errors=errors)


def _field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """The leaves of the serializer's nested errors, each with its path: `files.lib/a.py`, `args.3`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _field_errors(inner, f"{path}.{printable(name)}" if path else printable(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_errors(inner, path)
    else:
        yield FieldError(path, str(detail))

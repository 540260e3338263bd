"""What a client may ask of a run: the body of `POST /api/run-code-sync/`, checked before anything is counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rest_framework import serializers

from execution.catalogue import COMPILERS, Compiler
from execution.fields import Anything, Choice, Flag, Items, Seconds, Text, Whole
from execution.paths import path_error
from execution.program_fields import (
    ARGS,
    CODE_BYTES,
    INPUT_BYTES,
    check_args_size,
    check_env_size,
    check_files_size,
    check_together,
    entrypoint_field,
    env_field,
    files_field,
    optional,
)
from execution.validation import validated

OUTPUT_FILES: Final = 32
MEMORY_MB: Final = (16, 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A valid request. `time_limit` (seconds) and `memory_limit` (MB) are what was asked for, or None.

    `files` holds every file of the program, `entrypoint` among them; those that `data_files` names are no part of what
    is compiled.
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
    data_files: tuple[str, ...] = ()
    extended: bool = False

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "RunRequest":
        """From a body's JSON object. Raises InvalidRequest with an error for each field that is wrong.

        Fields that are not known are passed over, and `null` stands for an optional field that is left out.
        """
        return cls.from_fields(validated(_SERIALIZER, data))

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "RunRequest":
        """From what a ProgramSerializer, or one that has further fields of a run, made of a body."""
        compiler = COMPILERS[fields["compiler"]]
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

    def to_data(self) -> dict[str, Any]:
        """A JSON object from which `from_data` makes this request again."""
        files = {path: content.decode() for path, content in self.files.items()}
        # Over /v1/execute a main file may be larger than `code` may be; it is named among the files then.
        code = files.pop(self.entrypoint) if len(self.files[self.entrypoint]) <= CODE_BYTES else ""
        optional_fields = {
            "files": files,
            "input": self.input.decode(),
            "args": list(self.args),
            "env": dict(self.env),
            "time_limit": self.time_limit,
            "memory_limit": self.memory_limit,
            "output_files": list(self.output_files),
            "extended": self.extended,
        }
        given = {name: value for name, value in optional_fields.items() if value}
        return {"compiler": self.compiler.id, "code": code, "entrypoint": self.entrypoint, **given}


def _code_path(*, code: bytes, entrypoint: str, file_name: str, files: Mapping[str, bytes]) -> str | None:
    """Where `code` stands: under the entrypoint's name, or beside it when that is one of `files` (None: nowhere)."""
    if entrypoint not in files:
        return entrypoint
    return file_name if code else None


class ProgramSerializer(serializers.Serializer[Any]):
    """A program and its limits, as they stand in every body of this API that carries one."""

    compiler = Choice("compiler", among=tuple(COMPILERS), help_text="The `id` of a compiler, from the list of them.")
    code = Text(limit=CODE_BYTES, help_text="The program, at most 100 KB of UTF-8.")
    files = files_field("Further files beside the program, path → text, 1 MB together.")
    entrypoint = entrypoint_field("The path of the file to start; the compiler’s `file_name` when left out.")
    env = env_field()
    time_limit = Seconds(**optional(help_text="Seconds; lowers your plan’s limit, never raises it."))
    memory_limit = Whole(
        least=MEMORY_MB[0], most=MEMORY_MB[1], **optional(help_text="MB; lowers your plan’s limit, never raises it.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What concerns several values at once: the caps on sums, and file names that exclude each other."""
        files: Mapping[str, bytes] = attrs.get("files") or {}
        check_files_size(files)
        check_args_size(attrs.get("args") or ())
        check_env_size(attrs.get("env") or {})
        file_name = COMPILERS[attrs["compiler"]].file_name
        entrypoint = attrs.get("entrypoint") or file_name
        _check_names(files, _code_path(code=attrs["code"], entrypoint=entrypoint, file_name=file_name, files=files))
        return attrs


class RunRequestSerializer(ProgramSerializer):
    """The fields as they stand in the body; the API reference in docs/api.md explains them."""

    input = Text(limit=INPUT_BYTES, **optional(help_text="Standard input, at most 100 KB; empty when left out."))
    # Handed back with the result of an asynchronous run; there is nothing to hand it back with here.
    extra_params = Anything(**optional(help_text="Belongs to asynchronous runs; taken and passed over elsewhere."))
    args = Items(most=ARGS, **optional(help_text="Program arguments, 32 KB together."))
    output_files = Items(
        most=OUTPUT_FILES, check=path_error, **optional(help_text="Paths or globs of the files to return.")
    )
    extended = Flag(**optional(help_text="`true` adds the extended fields to the result."))


def _check_names(files: Mapping[str, bytes], path: str | None) -> None:
    if path is not None and path in files:
        raise serializers.ValidationError({"files": {path: "Is the name that `code` has; send the program once."}})
    check_together(files if path is None else [*files, path])


_SERIALIZER: Final = RunRequestSerializer()

"""What a client may ask of `POST /v1/execute`: its body, checked and turned into the run that it stands for."""

from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from execution.catalogue import COMPILERS
from execution.fields import Choice, Seconds, Text
from execution.program_fields import (
    CODE_BYTES,
    INPUT_BYTES,
    check_env_size,
    check_files_size,
    check_together,
    entrypoint_field,
    env_field,
    files_field,
    optional,
)
from execution.requests import RunRequest
from execution.validation import validated

# The compiler of the catalogue that serves each runtime of this protocol.
RUNTIMES: Final = {
    "python": "python-3.14",
    "node": "node",
    "bun": "bun",
    "go": "go-1.26",
    "rust": "rust-1.93",
    "ruby": "ruby-4.0",
    "php": "php-8.5",
}
# The protocol's own default, whatever a plan may allow.
TIMEOUT_SECONDS: Final = 30.0


def run_request_of(data: Mapping[str, Any]) -> RunRequest:
    """From a body's JSON object. Raises InvalidRequest with an error for each field that is wrong.

    Fields that are not known are passed over, and `null` stands for an optional field that is left out.
    """
    fields = validated(_SERIALIZER, data)
    compiler = COMPILERS[RUNTIMES[fields["runtime"]]]
    entrypoint: str = fields.get("entrypoint") or compiler.file_name
    files: dict[str, bytes] | None = fields.get("files")
    timeout: float | None = fields.get("timeout")
    return RunRequest(
        compiler=compiler,
        files={entrypoint: fields["code"]} if files is None else files,
        entrypoint=entrypoint,
        input=fields.get("stdin") or b"",
        env=fields.get("env") or {},
        time_limit=TIMEOUT_SECONDS if timeout is None else timeout,
    )


class V1ExecuteSerializer(serializers.Serializer[Any]):
    """The fields as they stand in the body; docs/execute.md explains them."""

    runtime = Choice("runtime", among=tuple(RUNTIMES), help_text="What runs the program.")
    code = Text(limit=CODE_BYTES, **optional(help_text="The program, at most 100 KB of UTF-8. Send this or `files`."))
    files = files_field("Instead of `code`: the files of the program, path → text, 1 MB together.")
    entrypoint = entrypoint_field("The path of the file to start; required with `files`, and one of them.")
    stdin = Text(limit=INPUT_BYTES, **optional(help_text="Standard input, at most 100 KB; empty when left out."))
    timeout = Seconds(
        unit="milliseconds",
        **optional(help_text="Milliseconds, 30000 when left out; lowers your plan’s limit, never raises it."),
    )
    env = env_field()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What concerns several fields at once. Empty `code` is a program, empty `files` are files: `null` is not."""
        files: Mapping[str, bytes] | None = attrs.get("files")
        if files is not None:
            _check_files(files, attrs)
        elif attrs.get("code") is None:
            raise serializers.ValidationError({"code": "Send the program, here or in `files`."})
        check_env_size(attrs.get("env") or {})
        return attrs


def _check_files(files: Mapping[str, bytes], attrs: Mapping[str, Any]) -> None:
    if attrs.get("code") is not None:
        raise serializers.ValidationError({"files": "Send either `code` or `files`, not both."})
    entrypoint = attrs.get("entrypoint")
    if entrypoint is None:
        raise serializers.ValidationError({"entrypoint": "Name the one of `files` that is to be started."})
    if entrypoint not in files:
        raise serializers.ValidationError({"entrypoint": "Is none of `files`."})
    check_files_size(files)
    check_together(files)


_SERIALIZER: Final = V1ExecuteSerializer()

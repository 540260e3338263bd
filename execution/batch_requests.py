"""What a client may ask of a batch: the body of `POST /api/run-code-batch/`, checked before anything is counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rest_framework import serializers

from execution.comparisons import DEFAULT_TOLERANCE, Comparison, Mode
from execution.fields import Anything, Choice, Flag, Items, Objects, Real, Seconds, Text, Whole
from execution.program_fields import ARGS, INPUT_BYTES, check_args_size, optional
from execution.requests import MEMORY_MB, ProgramSerializer, RunRequest
from execution.validation import validated

TESTS: Final = 1000
# An expected output is compared with what the plan keeps of an output, which no plan makes larger than this.
EXPECTED_BYTES: Final = 1024 * 1024
# What a checker finds in its work dir and, in this order, among its arguments: that of testlib.
CHECKED_FILES: Final = ("input.txt", "output.txt", "expected.txt")
_MODES: Final = tuple(mode.value for mode in Mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One of the tests: what differs from the program's own request. `expected` None: the output is not judged."""

    input: bytes = b""
    expected: bytes | None = None
    args: tuple[str, ...] | None = None
    time_limit: float | None = None
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """A valid request. `checker` is a program that judges in place of `comparison`."""

    program: RunRequest
    cases: tuple[Case, ...]
    comparison: Comparison = field(default_factory=Comparison)
    checker: RunRequest | None = None
    stop_on_failure: bool = False
    asynchronous: bool = False
    callback: bool = False

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "BatchRequest":
        """From a body's JSON object. Raises InvalidRequest with an error for each field that is wrong."""
        fields = validated(_SERIALIZER, data)
        checker = fields.get("checker")
        tolerance = fields.get("tolerance")
        return cls(
            program=RunRequest.from_fields(fields),
            cases=tuple(_case(test) for test in fields["tests"]),
            comparison=Comparison(
                Mode(fields.get("compare") or Mode.TRIMMED), DEFAULT_TOLERANCE if tolerance is None else tolerance
            ),
            checker=None if checker is None else RunRequest.from_fields(checker),
            stop_on_failure=fields.get("stop_on_failure") or False,
            asynchronous=fields.get("async") or False,
            callback=fields.get("callback") or False,
        )

    @property
    def judged(self) -> int:
        """How many cases have an output that is right or wrong."""
        return len(self.cases) if self.checker else sum(case.expected is not None for case in self.cases)

    @property
    def runs(self) -> int:
        """How many runs of the month the batch takes at most: a checker is a program that runs, too."""
        return len(self.cases) * (2 if self.checker else 1)

    def request_of(self, case: Case) -> RunRequest:
        """The program with a case's input, and with its limits and arguments where it has some of its own."""
        program = self.program
        return replace(
            program,
            input=case.input,
            args=program.args if case.args is None else case.args,
            time_limit=program.time_limit if case.time_limit is None else case.time_limit,
            memory_limit=program.memory_limit if case.memory_limit is None else case.memory_limit,
        )


def _case(test: Mapping[str, Any]) -> Case:
    return Case(
        input=test.get("input") or b"",
        expected=test.get("expected"),
        args=test.get("args"),
        time_limit=test.get("time_limit"),
        memory_limit=test.get("memory_limit"),
    )


class TestSerializer(serializers.Serializer[Any]):
    """One of `tests`."""

    # For pytest, which takes every class of this name for one of its own.
    __test__ = False

    input = Text(limit=INPUT_BYTES, **optional(help_text="Standard input, at most 100 KB; empty when left out."))
    expected = Text(limit=EXPECTED_BYTES, **optional(help_text="What the program should print, at most 1 MB."))
    args = Items(most=ARGS, **optional(help_text="In place of the batch’s."))
    time_limit = Seconds(**optional(help_text="Seconds, in place of the batch’s."))
    memory_limit = Whole(least=MEMORY_MB[0], most=MEMORY_MB[1], **optional())

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        test: dict[str, Any] = super().to_internal_value(data)
        check_args_size(test.get("args") or ())
        return test


class CheckerSerializer(ProgramSerializer):
    """A checker is a program like any other; its input and arguments are the service's to give."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        files = attrs.get("files") or {}
        if taken := [name for name in CHECKED_FILES if name in files or name == attrs.get("entrypoint")]:
            raise serializers.ValidationError({"files": {taken[0]: "Is the name of a file that the checker is given."}})
        return attrs

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        return super().run_validation(data)


class BatchRequestSerializer(ProgramSerializer):
    """The fields as they stand in the body; docs/batch.md explains them. An input belongs to a test."""

    args = Items(most=ARGS, **optional(help_text="Program arguments, 32 KB together."))
    extra_params = Anything(**optional(help_text="Given back untouched."))
    tests = Objects(least=1, most=TESTS, item=TestSerializer(), help_text="What the program runs on.")
    compare = Choice(
        "comparison", among=_MODES, **optional(help_text="How outputs are judged: `trimmed` when left out")
    )
    tolerance = Real(least=0, most=1, **optional(help_text="Of `numeric`; 0.000001 when left out."))
    checker = CheckerSerializer(**optional(help_text="A program that judges, in place of `compare`."))
    stop_on_failure = Flag(**optional(help_text="`true` starts no further test once one has failed."))
    callback = Flag(**optional(help_text="With `async`: one message when all is over."))

    def get_fields(self) -> dict[str, Any]:
        # No name that Python could give an attribute of a class.
        return {**super().get_fields(), "async": Flag(**optional(help_text="`true` queues the batch."))}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What concerns several fields at once, after what concerns the program."""
        attrs = super().validate(attrs)
        if attrs.get("callback") and not attrs.get("async"):
            raise serializers.ValidationError({"callback": 'Belongs to a batch with "async": true.'})
        if attrs.get("checker") is not None and attrs.get("compare") is not None:
            raise serializers.ValidationError({"compare": "Send either `compare` or `checker`, not both."})
        if attrs.get("tolerance") is not None and attrs.get("compare") != Mode.NUMERIC:
            raise serializers.ValidationError({"tolerance": 'Belongs to "compare": "numeric".'})
        return attrs


_SERIALIZER: Final = BatchRequestSerializer()

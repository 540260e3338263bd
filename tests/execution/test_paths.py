"""What a file inside the work dir may be called (abuse row 32)."""

import pytest

from execution.paths import DEPTH, PATH_BYTES, SEGMENT_BYTES, clash, path_error


@pytest.mark.parametrize(
    "path",
    [
        "main.py",
        "a/b/c.txt",
        "données/résumé.txt",
        "漢字.py",
        ".hidden",
        "a-b",
        "with space",
        "a..b",
        "...",
        "*.png",
        "out/**/x?.[ch]",
        "x" * SEGMENT_BYTES,
        "/".join("a" * DEPTH),
    ],
)
def test_it_takes_ordinary_names(path):
    assert path_error(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../../x",
        "a/./b",
        "/etc/passwd",
        "//x",
        "a//b",
        "a/",
        "-rf",
        "a/-rf",
        "a\0b",
        "a\nb",
        "a\x7f",
        "a\\b",
        "..\\x",
        "x" * (SEGMENT_BYTES + 1),
        "é" * (SEGMENT_BYTES // 2 + 1),
        "x/" * (PATH_BYTES // 2) + "x",
        "x" * 4096,
        "/".join("a" * (DEPTH + 1)),
    ],
)
def test_it_refuses_what_climbs_vanishes_or_does_not_fit(path):
    assert path_error(path) is not None


@pytest.mark.parametrize(
    "path",
    [
        "a\N{FRACTION SLASH}b",
        "a\N{DIVISION SLASH}b",
        "a\N{BIG SOLIDUS}b",
        "a\N{FULLWIDTH SOLIDUS}b",
        "a\N{BOX DRAWINGS LIGHT DIAGONAL UPPER RIGHT TO LOWER LEFT}b",
        "a\N{MATHEMATICAL RISING DIAGONAL}b",
        "a\N{FULLWIDTH REVERSE SOLIDUS}b",
        "a\N{SMALL REVERSE SOLIDUS}b",
        "a\N{SET MINUS}b",
        "a\N{REVERSE SOLIDUS OPERATOR}b",
        "\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}/x",
        "\N{ONE DOT LEADER}\N{ONE DOT LEADER}/x",
        "\N{TWO DOT LEADER}/x",
        "\N{FULLWIDTH HYPHEN-MINUS}rf",
        "a\N{RIGHT-TO-LEFT OVERRIDE}txt.py",
        "a\N{ZERO WIDTH SPACE}b",
        "a\N{LINE SEPARATOR}b",
    ],
)
def test_it_refuses_look_alikes_and_what_cannot_be_seen(path):
    assert path_error(path) is not None


def test_a_file_cannot_be_a_folder_too():
    assert clash(["a/b/c", "a/b", "x"]) == "a/b"
    assert clash(["a", "a/b/c"]) == "a"
    assert clash(["a/b", "a/c", "ab"]) is None

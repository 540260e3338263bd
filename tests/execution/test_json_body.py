"""Reading a request's body: strictly, and with a sentence that helps."""

import json

import pytest
from django.test import AsyncRequestFactory

from config.errors import InvalidRequest, UnsupportedMediaType
from execution.json_body import json_object


def read(body: bytes, content_type: str = "application/json"):
    return json_object(AsyncRequestFactory().generic("POST", "/", body, content_type=content_type))


def refusal(body: bytes) -> str:
    with pytest.raises(InvalidRequest) as error:
        read(body)
    (only,) = error.value.errors
    assert (only.field, only.error) == ("", error.value.message)
    return only.error


def test_it_reads_an_object():
    assert read(b'{"a": [1, 2.5, null, true, "\\u00e9\\u0000"]}') == {"a": [1, 2.5, None, True, "é\0"]}


def test_it_overlooks_a_byte_order_mark():
    assert read(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 1} x', "not JSON"),
        (b"[1]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"x": {"\\u0061": 1, "a": 2}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": "\xff"}', "not UTF-8 (byte 7)"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": "\n"}', "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000, "too deeply"),
        (b'{"a":' * 100_000, "too deeply"),
    ],
)
def test_it_refuses_what_could_be_understood_differently_and_says_why(body, told):
    assert told in refusal(body)


def test_half_a_surrogate_pair_in_a_repeated_key_does_not_break_the_answer():
    assert "\\ud800" in refusal(b'{"\\ud800": 1, "\\ud800": 2}')


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/vnd.x+json",
    ],
)
def test_it_takes_the_content_types_of_json_and_none(content_type):
    assert read(b"{}", content_type) == {}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=latin-1", "json"],
)
def test_it_refuses_other_content_types(content_type):
    with pytest.raises(UnsupportedMediaType):
        read(b"{}", content_type)


def test_a_curl_line_without_the_header_is_told_which_one_is_missing():
    with pytest.raises(UnsupportedMediaType) as error:
        read(json.dumps({"code": ""}).encode(), "application/x-www-form-urlencoded")
    assert '-H "Content-Type: application/json"' in error.value.message

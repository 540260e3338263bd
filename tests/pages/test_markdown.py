"""The documentation's renderer."""

import pytest

from execution.pages_markdown import fill, highlighted, render
from tests.pages.html import parse


def test_it_takes_title_and_summary_from_the_text() -> None:
    document = render("# Keys & locks\n\nWhat *opens*\nwhat.\n\nMore.\n")
    assert document.title == "Keys & locks"
    assert document.summary == "What opens what."


def test_every_heading_has_an_anchor_of_its_own() -> None:
    document = render("# A\n\n## Errors\n\n## Errors\n\n### `code` in one\n")
    assert [heading.anchor for heading in document.headings] == ["a", "errors", "errors-2", "code-in-one"]
    page = parse(document.html)
    assert [link["href"] for link in page.all("a", class_="anchor")] == ["#errors", "#errors-2", "#code-in-one"]


def test_it_shows_html_as_text() -> None:
    html = render("# A\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n").html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert not parse(html).all("a")


def test_links_between_files_become_links_between_pages() -> None:
    page = parse(render("# A\n\n[one](keys.md) [two](limits.md#of-a-plan) [out](https://example.com/a.md)\n").html)
    assert [link["href"] for link in page.all("a")] == [
        "/docs/keys/",
        "/docs/limits/#of-a-plan",
        "https://example.com/a.md",
    ]


def test_code_is_coloured_by_classes_alone() -> None:
    html = render('# A\n\n```python\nprint("x")  # hi\n```\n').html
    assert "style=" not in html
    assert {span["class"] for span in parse(html).all("span") if span.get("class")} >= {"nb", "c1"}


def test_an_unknown_language_is_shown_plain() -> None:
    assert highlighted("a < b", "klingon") == "a &lt; b"


def test_aligned_columns_need_no_inline_style() -> None:
    html = render("# A\n\n| n | m |\n|---:|:--:|\n| 1 | 2 |\n").html
    assert "style=" not in html
    assert '<td class="number">1</td>' in html


@pytest.mark.parametrize("name", ["API_KEY", "WS_KEY", "SECRET"])
def test_the_readers_own_values_are_marked_within_strings_too(name: str) -> None:
    page = parse(render(f'# A\n\n```sh\ncurl -H "Authorization: ${name}" ${name}\n```\n').html)
    assert [span.text for span in page.all("span", data_fill=name)] == [f"${name}", f"${name}"]


def test_a_longer_name_is_not_mistaken_for_a_placeholder() -> None:
    assert "data-fill" not in highlighted("$API_KEYS", "sh")


def test_the_address_and_the_tables_are_put_in() -> None:
    document = render("# A\n\n```sh\ncurl $BASE/healthz\n```\n\n```data plans\n```\n")
    html = fill(document.html, base="https://run.example/?a&b", tables={"plans": "<table></table>"})
    assert "https://run.example/?a&amp;b" in html
    assert "<table></table>" in html
    assert "$BASE" not in html

"""The widget's colours can be told apart in both themes (WCAG 2.2: text 4.5 : 1, outlines and focus rings 3 : 1)."""

import re

import pytest

from tests.pages.test_contrast import luminance
from tests.widgets.build import FRONTEND

CSS = (FRONTEND / "src" / "widget.css").read_text(encoding="utf-8")
THEMES = [
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r"\.widget[^{]*\{[^}]*", CSS)
]
THEMES = [theme for theme in THEMES if theme]
CODE = ["ink", "comment", "keyword", "string", "number", "name"]
TEXT = [
    *[(text, surface) for text in CODE for surface in ("editor", "active")],
    *[(text, "selection") for text in ("ink",)],
    *[(text, surface) for text in ("ink", "soft", "faint", "accent", "ok", "bad") for surface in ("page", "sunken")],
    ("faint", "editor"),
    ("ink", "hover"),
    ("accent-text", "accent"),
    ("accent-text", "accent-strong"),
]
OUTLINES = [(line, surface) for line in ("outline", "accent") for surface in ("page", "sunken", "editor")]


def contrast(one: str, other: str) -> float:
    first, second = luminance(one), luminance(other)
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def test_both_themes_name_the_same_colours() -> None:
    dark, light = THEMES
    assert dark.keys() == light.keys()


@pytest.mark.parametrize("theme", THEMES, ids=["dark", "light"])
@pytest.mark.parametrize(("text", "surface"), TEXT)
def test_text_can_be_read(theme: dict[str, str], text: str, surface: str) -> None:
    assert contrast(theme[text], theme[surface]) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=["dark", "light"])
@pytest.mark.parametrize(("line", "surface"), OUTLINES)
def test_controls_stand_out(theme: dict[str, str], line: str, surface: str) -> None:
    assert contrast(theme[line], theme[surface]) >= 3


def test_colours_are_only_named_among_the_themes() -> None:
    assert len(re.findall(r"#[0-9a-f]{3,8}\b", CSS)) == sum(len(theme) for theme in THEMES)
    editor = (FRONTEND / "src" / "editor.ts").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-f]{3,8}\b|rgb", editor)

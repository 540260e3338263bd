"""The colours can be told apart (WCAG 2.2: text 4.5 : 1, the outlines of controls and the focus ring 3 : 1)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "static" / "css"
PAIRS = dict(
    re.findall(
        r"--([a-z-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", (STATIC / "tokens.css").read_text(encoding="utf-8")
    )
)

SURFACES = ["page", "sunken", "raised", "hover"]
CODE = [name for name in PAIRS if name.startswith("code-")]
TEXT = [
    *[(text, surface) for text in ("ink", "ink-soft", "accent") for surface in SURFACES],
    *[("ink-faint", surface) for surface in ("page", "sunken", "raised")],
    *[(name, surface) for name in CODE for surface in ("sunken", "raised")],
    *[(text, f"{state}-wash") for state in ("ok", "warn", "bad", "accent") for text in ("ink", state)],
    ("accent-text", "accent"),
    ("accent-text", "accent-strong"),
    ("bad-text", "bad"),
    ("bad-text", "bad-strong"),
    ("bad", "page"),
    ("bad", "raised"),
    ("ink", "marker"),
]
OUTLINES = [(line, surface) for line in ("line-strong", "accent", "bad") for surface in ("page", "raised")]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str, scheme: int) -> float:
    first, second = (luminance(PAIRS[name].split(", ")[scheme]) for name in (one, other))
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "surface"), TEXT)
def test_text_can_be_read(text: str, surface: str, scheme: int) -> None:
    assert contrast(text, surface, scheme) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "surface"), OUTLINES)
def test_controls_stand_out(line: str, surface: str, scheme: int) -> None:
    assert contrast(line, surface, scheme) >= 3


def test_colours_are_only_named_among_the_tokens() -> None:
    # A QR code is black on white in every scheme, and programs draw their pictures for white paper.
    allowed = {"tokens.css": None, "components.css": ["#fff"], "contexts.css": ["#fff"]}
    for path in STATIC.glob("*.css"):
        found = re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", path.read_text(encoding="utf-8"))
        expected = allowed.get(path.name, [])
        assert expected is None or found == expected, path.name


def test_every_token_that_is_used_exists() -> None:
    defined = set(re.findall(r"(--[a-z0-9-]+):", (STATIC / "tokens.css").read_text(encoding="utf-8")))
    for path in STATIC.glob("*.css"):
        used = set(re.findall(r"var\((--[a-z0-9-]+)", path.read_text(encoding="utf-8")))
        assert used <= defined, path.name

import pytest

from accounts.restrictions import address_allowed, origin_allowed, parse_network, parse_origin


def networks(*texts: str):
    return [parse_network(text) for text in texts]


def origins(*texts: str):
    return [parse_origin(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("203.0.113.77/24", "203.0.113.0/24"),
        (" 203.0.113.7 ", "203.0.113.7/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_a_network_gets_its_canonical_form(text: str, shown: str) -> None:
    assert str(parse_network(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "example.com", "203.0.113.0/33", "203.0.113", "1.2.3.4/", "/24", "::ffff:0:0/90x"]
)
def test_it_refuses_what_is_no_network(text: str) -> None:
    if text == "1.2.3.4/":
        assert str(parse_network(text)) == "1.2.3.4/32"
        return
    with pytest.raises(ValueError, match="is no network"):
        parse_network(text)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("203.0.113.7", True),
        ("::ffff:203.0.113.7", True),
        ("2001:db8::5", True),
        ("203.0.114.7", False),
        ("2001:db9::5", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_an_address_is_allowed_inside_the_networks_only(address: str, allowed: bool) -> None:
    assert address_allowed(address, networks("203.0.113.0/24", "2001:db8::/32")) is allowed


def test_no_networks_allow_every_address() -> None:
    assert address_allowed("", [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("HTTPS://Example.COM:443", "https://example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("example.com", "example.com"),
        ("example.com:8080", "example.com:8080"),
        ("*.example.com", "*.example.com"),
        ("https://*.example.com", "https://*.example.com"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("192.0.2.1", "192.0.2.1"),
        ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
    ],
)
def test_an_origin_gets_its_canonical_form(text: str, shown: str) -> None:
    assert str(parse_origin(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.com",
        "https://",
        "https://example.com/path",
        "https://example.com?query",
        "https://example.com#part",
        "https://name@example.com",
        "https://exa mple.com",
        "https://example.com:99999",
        "https://ex*mple.com",
        "*.*.example.com",
        "*.192.0.2.1",
        "-example.com",
        "example..com",
        "9p://example.com",
        "null",
        "http://[::1",
        "a" * 64 + ".com",
    ],
)
def test_it_refuses_what_is_no_origin(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        parse_origin(text)


@pytest.mark.parametrize(
    ("rule", "origin", "allowed"),
    [
        ("https://example.com", "https://example.com", True),
        ("https://example.com", "https://example.com:443", True),
        ("https://example.com", "http://example.com", False),
        ("https://example.com", "https://example.com:8443", False),
        ("https://example.com", "https://www.example.com", False),
        ("https://example.com", "https://example.com.evil.test", False),
        ("http://localhost:3000", "http://localhost:3000", True),
        ("http://localhost:3000", "http://localhost:3001", False),
        ("example.com", "https://example.com", True),
        ("example.com", "http://example.com:8080", True),
        ("example.com", "https://EXAMPLE.com", True),
        ("example.com", "https://sub.example.com", False),
        ("example.com", "https://notexample.com", False),
        ("example.com", "ftp://example.com", False),
        ("example.com:8080", "http://example.com:8080", True),
        ("example.com:8080", "http://example.com", False),
        ("*.example.com", "https://a.example.com", True),
        ("*.example.com", "https://a.b.example.com", True),
        ("*.example.com", "https://example.com", False),
        ("*.example.com", "https://evilexample.com", False),
        ("https://*.example.com", "http://a.example.com", False),
        ("chrome-extension://abc", "chrome-extension://abc", True),
        ("example.com", "null", False),
        ("example.com", "https://example.com:badport", False),
        ("example.com", "https://", False),
        ("example.com", "", False),
        ("example.com", None, False),
    ],
)
def test_an_origin_fits_only_its_rule(rule: str, origin: str | None, allowed: bool) -> None:
    assert origin_allowed(origin, origins("https://unrelated.test", rule)) is allowed


def test_no_rules_allow_every_origin() -> None:
    assert origin_allowed(None, [])

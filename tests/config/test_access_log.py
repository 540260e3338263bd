"""Which paths are told in log lines, and how."""

import pytest

from config.access_log import masked


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "/"),
        ("/api/run-code-sync/", "/api/run-code-sync/"),
        ("/cus/rs_Zk3pQ9vX7sT1uB5nM8rW2yD4fG6hJ0aLcEeIiOoQ/", "/cus/…/"),
        ("/accounts/password/reset/key/1-cx3abc-0123456789abcdef0123456789abcdef/", "/accounts/password/reset/key/…/"),
        ("/accounts/confirm-email/MTA:1abcde:Zk3pQ9vX7sT1uB5nM8rW/", "/accounts/confirm-email/…/"),
        ("x" * 5000, "…"),
    ],
)
def test_long_segments_are_masked(path, shown):
    assert masked(path) == shown

"""What the limits of an organisation are called in the limiter."""

from billing.periods import Period


def scope_of(organisation_id: int) -> str:
    return f"o{organisation_id}"


def run_quota(period: Period) -> str:
    return f"runs:{period.start}"


CONNECTIONS = "connections"
"""The lease of an organisation's open WebSocket connections."""

"""The official Python client, in both dialects: with the handshake of the older protocol revisions, and without."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

DIALECTS = ["legacy", "2026-07-28"]


@asynccontextmanager
async def connected(url: str, key: str, *, mode: str = "legacy", **options: Any) -> AsyncIterator[Client]:
    """A client of `url` with the header that the documentation shows."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode, **options) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def result_of(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a call that was not refused; the text says the same."""
    assert not result.is_error, text_of(result)
    structured = result.structured_content
    assert isinstance(structured, dict)
    assert json.loads(text_of(result)) == structured
    return structured

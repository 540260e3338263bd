"""The token generators of the documentation: each runs in our own sandbox, and what it prints is a token."""

import base64
import hashlib
import hmac
import time

import httpx
import pytest

from tests.pages.test_docs_examples import fences
from tests.server import Service

GENERATORS = {
    "python": "python-3.14",
    "js": "node",
    "ruby": "ruby-4.0",
    "php": "php-8.5",
    "go": "go-1.26",
    "java": "openjdk-25",
}


def made(service: Service, language: str) -> str:
    """What the generator prints, with the demo account's secret."""
    code = fences("client-tokens", language)[0]
    env = {"RUNCODE_SECRET": service.demo["secret"]}
    with service.client() as client:
        answer = client.post("/api/run-code-sync/", json={"compiler": GENERATORS[language], "code": code, "env": env})
    result = answer.json()
    assert (result["status"], result["error"]) == ("success", ""), result
    token: str = result["output"].strip()
    return token


@pytest.mark.parametrize("language", GENERATORS)
def test_what_a_generator_makes_is_accepted(service: Service, language: str) -> None:
    token = made(service, language)
    fields = {"auth": token, "language": "python3", "code": "2 ** 10"}
    answer = httpx.post(f"{service.url}/eval", data=fields, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json()[-1]["data"] == "1024"
    created, _, mac = token.partition(":")
    assert abs(int(created) - time.time() * 1000) < 60_000
    digest = hmac.new(service.demo["secret"].encode(), created.encode(), hashlib.sha256).digest()
    assert mac == base64.b64encode(digest).decode()

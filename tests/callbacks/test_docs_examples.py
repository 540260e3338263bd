"""What docs/webhooks.md and docs/async-runs.md show works as it stands, each language in a sandbox of its own."""

import json
import time
from datetime import UTC, datetime

import pytest
from django.conf import settings
from standardwebhooks import Webhook, WebhookVerificationError

from execution.callbacks.endpoints import make_secret
from execution.catalogue import installed
from tests.pages.test_docs_examples import fences
from tests.server import Service

SECRET = make_secret()
BODY = '{"id": 42, "output": "\\ud83d\\ude00"}'

# Each reads an array of cases from standard input and prints what `verified` says of them.
DRIVERS = {
    "python": "import json, sys\n"
    "for c in json.load(sys.stdin): print(verified(c['secret'], c['headers'], c['body'].encode()))",
    "js": "const cases = JSON.parse(require('fs').readFileSync(0));\n"
    "for (const c of cases) console.log(verified(c.secret, c.headers, c.body));",
    "php": "foreach (json_decode(stream_get_contents(STDIN), true) as $c)\n"
    '    echo verified($c["secret"], $c["headers"], $c["body"]) ? "true\\n" : "false\\n";',
    "ruby": 'require "json"\nJSON.parse(STDIN.read).each { |c| puts verified(c["secret"], c["headers"], c["body"]) }',
    "go": """package main

import ("encoding/json"; "fmt"; "os")

func main() {
    var cases []struct { Secret, Body string; Headers map[string]string }
    if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil { panic(err) }
    for _, c := range cases { fmt.Println(verified(c.Secret, c.Headers, c.Body)) }
}
""",
}
COMPILERS = {"python": "python-3.14", "js": "node", "php": "php-8.5", "ruby": "ruby-4.0", "go": "go-1.26"}


def headers(*, secret: str = SECRET, at: float | None = None, body: str = BODY) -> dict[str, str]:
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", moment, body),
    }


def cases() -> list[tuple[dict[str, object], bool]]:
    right = headers()
    after_a_change = right | {"webhook-signature": f"{headers(secret=make_secret())['webhook-signature']} "}
    after_a_change["webhook-signature"] += right["webhook-signature"]
    return [
        ({"headers": right}, True),
        ({"headers": after_a_change}, True),
        ({"headers": right, "body": BODY.replace("42", "43")}, False),
        ({"headers": right | {"webhook-id": "msg_2"}}, False),
        ({"headers": headers(secret=make_secret())}, False),
        ({"headers": headers(at=time.time() - 600)}, False),
        ({"headers": headers(at=time.time() + 600)}, False),
        ({"headers": right | {"webhook-signature": ""}}, False),
    ]


@pytest.mark.parametrize("language", DRIVERS)
def test_a_signature_is_checked_in(service: Service, language: str) -> None:
    if COMPILERS[language] not in installed(settings.RUNCODE_HOME):
        pytest.skip(f"{COMPILERS[language]} is not installed here")
    example = fences("webhooks", language)[-1]
    sent = [{"secret": SECRET, "body": BODY, **case} for case, _ in cases()]
    program = {"code": f"{example}\n{DRIVERS[language]}"}
    if language == "go":
        program = {"code": DRIVERS[language], "entrypoint": "main.go", "files": {"verify.go": example}}
    body = {"compiler": COMPILERS[language], "input": json.dumps(sent), **program}
    with service.client() as client:
        answer = client.post("/api/run-code-sync/", json=body).json()
    assert answer["error"] == ""
    assert [line.lower() for line in answer["output"].split()] == [str(expected).lower() for _, expected in cases()]


def test_the_library_checks_it_too() -> None:
    found: dict[str, object] = {}
    exec(fences("webhooks", "python")[0], found)
    result_of = found["result_of"]
    assert callable(result_of)
    assert result_of(SECRET, headers(), BODY.encode()) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        result_of(make_secret(), headers(), BODY.encode())


def test_the_example_is_queued_and_its_result_has_the_fields_that_are_shown(service: Service) -> None:
    queued = json.loads(service.shell(fences("async-runs", "sh")[0]))
    shown, message = map(json.loads, fences("async-runs", "json"))
    assert queued.keys() == shown.keys()
    with service.client() as client:
        run = client.get(f"/api/runs/{queued['id']}/?wait=30").json()
    assert {*run["result"], "id", "extra_params"} == set(message)
    assert run["result"]["output"] == message["output"]
    assert run["extra_params"] == message["extra_params"]


def test_the_deliveries_of_a_run_are_listed_as_shown(service: Service) -> None:
    queued = json.loads(service.shell(fences("async-runs", "sh")[0]))
    line = fences("webhooks", "sh")[0].replace("/42/", f"/{queued['id']}/")
    # It was to be fetched: nothing was sent.
    assert json.loads(service.shell(line)) == []

"""`Idempotency-Key` for cells, where doing something twice would show: the state of the context."""

import uuid

from tests.server import Service

PATH = "/execute"


def test_what_is_no_name_is_refused(service: Service):
    with service.client() as client:
        refused = client.post(PATH, json={"code": "1"}, headers={"Idempotency-Key": "a b"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


def test_a_cell_that_is_sent_again_does_not_run_again(service: Service):
    with service.client() as client:

        def send(code: str, context_id: str | None = None, **headers: str):
            body = {"code": code, **({"context_id": context_id} if context_id else {})}
            return client.post(PATH, json=body, headers=headers)

        # Other tests of this service have opened some, and the plan has its limit.
        for context in client.get("/contexts").json()["contexts"]:
            client.delete(f"/contexts/{context['context_id']}")
        opening = send("x = 1")
        assert opening.status_code == 200, opening.text
        opened = opening.json()
        context_id = opened["context_id"]
        name = str(uuid.uuid4())
        before = service.usage()["runs_used"]
        first = send("x += 1\nx", context_id, **{"Idempotency-Key": name})
        assert first.status_code == 200
        assert first.json()["execution_count"] == opened["execution_count"] + 1
        again = send("x += 1\nx", context_id, **{"Idempotency-Key": name, "Accept": "application/x-ndjson"})
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.content == first.content
        assert send("x", context_id).json()["items"][0]["text"] == "2"
        assert service.usage()["runs_used"] == before + 2
        client.delete(f"/contexts/{context_id}")

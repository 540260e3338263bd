"""The HTTP API as an OpenAPI 3.1 document, by drf-spectacular over the project's own URLconf.

    parts.py        what schemas and operations are put together from
    refusals.py     every error code, its status and an example
    operation.py    one endpoint and method, as data, and what drf-spectacular is told of it
    subjects/       the endpoints and the objects that go in and out; bodies come from the serializers that check them
    document.py     the document, made once in a process
    reference.py    the same for people: the reference below docs/api.md

A new endpoint is an entry in subjects/; a test fails for one that has none.
"""

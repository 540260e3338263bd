"""The files of a context over HTTP: listed, and as they are, byte for byte."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from config.errors import FieldError, InvalidRequest
from execution.contexts.answers import time_of
from execution.contexts.cells import scope_of, told
from execution.paths import path_error
from execution.sandbox.context_client import ContextClient
from execution.sandbox_clients import sandbox_client
from execution.views import api_caller


@require_safe
async def files(request: HttpRequest, context_id: str) -> HttpResponse:
    """The regular files below the work dir, sorted by path."""
    caller = await api_caller(request)
    async with told():
        listed = await ContextClient(sandbox_client()).files(scope=scope_of(caller), context_id=context_id)
    rows = [{"path": file.path, "size": file.size, "modified_at": time_of(file.modified_at)} for file in listed]
    return JsonResponse({"files": rows, "complete": listed.complete})


@csrf_exempt
@require_http_methods(["GET", "HEAD", "PUT", "DELETE"])
async def file(request: HttpRequest, context_id: str, path: str) -> HttpResponse:
    """Reads a file, writes it with the body as it is, or removes it."""
    caller = await api_caller(request)
    name = _name(path)
    contexts, scope = ContextClient(sandbox_client()), scope_of(caller)
    async with told():
        match request.method:
            case "PUT":
                await contexts.write_file(scope=scope, context_id=context_id, path=name, data=request.body)
            case "DELETE":
                await contexts.remove_file(scope=scope, context_id=context_id, path=name)
            case _:
                content = await contexts.read_file(scope=scope, context_id=context_id, path=name)
                # Whatever it holds, it is never a page of ours.
                headers = {"Content-Disposition": "attachment"}
                return HttpResponse(content, content_type="application/octet-stream", headers=headers)
    return HttpResponse(status=204)


def _name(path: str) -> str:
    """Without the slash that any address may end with. Raises InvalidRequest."""
    name = path.removesuffix("/")
    if error := path_error(name):
        raise InvalidRequest(f"path: {error}", errors=[FieldError("path", error)])
    return name

"""The files of a context in the console: listed, sent, fetched and removed by a member of the current organisation."""

from collections.abc import Awaitable
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.current import MemberRequest, caller_of, member_required
from config.errors import ApiError, InvalidRequest, NotFound
from execution.contexts.cells import scope_of, told
from execution.paths import path_error
from execution.sandbox.context_client import ContextClient
from execution.sandbox_clients import sandbox_client


@never_cache
@member_required
@require_safe
async def context_files(request: MemberRequest, context_id: str) -> HttpResponse:
    """The list, as a part of the console's page."""
    return await _listed(request, context_id)


@member_required
@require_POST
async def send_files(request: MemberRequest, context_id: str) -> HttpResponse:
    """Writes the form's files into the work dir; what has the name of one is replaced."""
    contexts, scope = ContextClient(sandbox_client()), scope_of(caller_of(request))
    for sent in request.FILES.getlist("files"):
        name = sent.name or ""
        error = path_error(name) or await _refused(
            contexts.write_file(scope=scope, context_id=context_id, path=name, data=sent.read())
        )
        if error:
            return await _listed(request, context_id, error=f"{name}: {error}")
    return await _listed(request, context_id)


@never_cache
@member_required
@require_safe
async def fetch_file(request: MemberRequest, context_id: str, path: str) -> HttpResponse:
    """The file as it is; to be kept and never shown, whatever it holds."""
    try:
        async with told():
            contexts, scope = ContextClient(sandbox_client()), scope_of(caller_of(request))
            content = await contexts.read_file(scope=scope, context_id=context_id, path=_name(path))
    except (NotFound, InvalidRequest) as error:
        raise Http404(error.message) from None
    headers = {"Content-Disposition": "attachment"}
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)


@member_required
@require_POST
async def remove_file(request: MemberRequest, context_id: str) -> HttpResponse:
    contexts, scope = ContextClient(sandbox_client()), scope_of(caller_of(request))
    path = request.POST.get("path", "")
    error = path_error(path) or await _refused(contexts.remove_file(scope=scope, context_id=context_id, path=path))
    return await _listed(request, context_id, error=error)


def _name(path: str) -> str:
    if error := path_error(path):
        raise InvalidRequest(error)
    return path


async def _refused(action: Awaitable[None]) -> str | None:
    """Carries it out; the words of a refusal."""
    try:
        async with told():
            await action
    except ApiError as refusal:
        return refusal.message
    return None


async def _listed(request: MemberRequest, context_id: str, *, error: str | None = None) -> HttpResponse:
    rows: list[dict[str, object]] = []
    try:
        async with told():
            contexts, scope = ContextClient(sandbox_client()), scope_of(caller_of(request))
            listed = await contexts.files(scope=scope, context_id=context_id)
        rows = [
            {"path": file.path, "size": file.size, "modified_at": datetime.fromtimestamp(file.modified_at, UTC)}
            for file in listed
        ]
    except NotFound as gone:
        raise Http404(gone.message) from None
    except ApiError as refusal:
        error = error or refusal.message
    context = {
        "context_id": context_id,
        "files": rows,
        "error": error,
        "most": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    }
    return await sync_to_async(render)(request, "dashboard/contexts/files.html", context)

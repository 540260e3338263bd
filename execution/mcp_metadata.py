"""What a client of `/mcp` may learn before it has a key: the protected resource's metadata (RFC 9728)."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def protected_resource(_request: HttpRequest) -> JsonResponse:
    """Names no authorization server: keys are made in the dashboard and sent as they are."""
    metadata = {
        "resource": f"{settings.PUBLIC_URL}/mcp",
        "resource_name": "Runcode",
        "resource_documentation": f"{settings.PUBLIC_URL}/docs/mcp/",
        "bearer_methods_supported": ["header"],
    }
    return JsonResponse(metadata, headers={"Access-Control-Allow-Origin": "*"})

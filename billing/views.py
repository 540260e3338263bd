"""The usage page for programs: `GET /cus/{SECRET}`."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from accounts.keys import digest_of
from accounts.models import Organisation
from billing.usage import usage_of
from config.errors import NotFound


@require_safe
def usage_by_secret(_request: HttpRequest, secret: str) -> JsonResponse:
    """The account secret in the address is all the authority there is; who does not know one learns nothing."""
    # By digest: the time of an index look-up on it tells nothing about any secret.
    organisation_id = Organisation.objects.filter(secret_digest=digest_of(secret)).values_list("pk", flat=True).first()
    if organisation_id is None:
        raise NotFound("No account has this secret. The account secret stands on the dashboard; a rotated one is void.")
    usage = usage_of(organisation_id)
    return JsonResponse(
        {
            "plan": usage.plan.id,
            "connections": usage.connections,
            "connection_limit": usage.connection_limit,
            "runs_used": usage.runs_used,
            "runs_left": usage.runs_left,
            "period_end": usage.period_end.isoformat().replace("+00:00", "Z"),
        }
    )

"""The pricing page, and the plans as any page shows them."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.plans import MIB, PLANS, Plan


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan in the words of a page."""

    plan: Plan

    @property
    def price(self) -> str:
        whole, cents = divmod(self.plan.price_cents_month, 100)
        return f"${whole:,}.{cents:02}" if cents else f"${whole:,}"

    @property
    def memory_mb(self) -> int:
        return self.plan.limits.memory_bytes // MIB

    @property
    def on_sale(self) -> bool:
        """Paying does not exist yet."""
        return self.plan.price_cents_month == 0


def offers() -> list[Offer]:
    """All plans, the smallest first."""
    return [Offer(plan) for plan in PLANS]


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    return render(request, "pricing.html", {"offers": offers()})

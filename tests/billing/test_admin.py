"""The administration of the bill: plans can be changed, the bill cannot."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing import ledger
from billing.models import RunCharge, Subscription, UsagePeriod
from billing.plans import FREE, PRO, STARTER
from billing.subscriptions import _memory, look_up, subscribe
from tests.billing.runs import charge_of
from tests.cast import Cast, make_user


@pytest.fixture
def staff(cast: Cast) -> Client:
    user = make_user("staff@example.org")
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def address(model: str, action: str, *arguments: Any) -> str:
    return reverse(f"admin:billing_{model}_{action}", args=arguments)


def form(**changes: Any) -> dict[str, Any]:
    empty = {f"period_{end}_{part}": "" for end in ("start", "end") for part in (0, 1)}
    return {**empty, "stripe_customer_id": "", "stripe_subscription_id": "", **changes}


@pytest.mark.django_db(transaction=True)
def test_staff_changes_a_plan_and_all_processes_are_told(cast: Cast, staff: Client) -> None:
    organisation = cast.alice.organisation
    told: list[int] = []
    generation = _memory.generation
    added = staff.post(address("subscription", "add"), form(organisation=organisation.pk, plan_id="pro"))
    assert added.status_code == 302
    assert look_up(organisation.pk).plan is PRO
    told.append(_memory.generation - generation)

    subscription = Subscription.objects.get()
    changed = form(organisation=cast.charlie.organisation.pk, plan_id="starter")
    assert staff.post(address("subscription", "change", subscription.pk), changed).status_code == 302
    assert look_up(organisation.pk).plan is FREE
    assert look_up(cast.charlie.organisation.pk).plan is STARTER
    told.append(_memory.generation - generation)

    assert staff.post(address("subscription", "delete", subscription.pk), {"post": "yes"}).status_code == 302
    assert look_up(cast.charlie.organisation.pk).plan is FREE
    told.append(_memory.generation - generation)
    # Both organisations hear of a subscription that moves from one to the other.
    assert told == [1, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_staff_ends_several_subscriptions_at_once(cast: Cast, staff: Client) -> None:
    rows = [subscribe(person.organisation.pk, PRO) for person in (cast.alice, cast.charlie)]
    generation = _memory.generation
    action = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    assert staff.post(address("subscription", "changelist"), action).status_code == 302
    assert Subscription.objects.count() == 0
    assert _memory.generation - generation == 2


def test_the_bill_is_shown_but_not_changed(cast: Cast, staff: Client) -> None:
    charge = charge_of(cast.alice.organisation.pk)
    ledger.record([charge])
    period = UsagePeriod.objects.get()
    for model, row in (("runcharge", charge.run_id), ("usageperiod", period.pk)):
        page = staff.get(address(model, "changelist"))
        assert page.status_code == 200
        assert "Alice" in page.content.decode()
        assert staff.get(address(model, "change", row)).status_code == 200
        assert staff.post(address(model, "change", row), {"runs": 0}).status_code == 403
        assert staff.post(address(model, "delete", row), {"post": "yes"}).status_code == 403
        assert staff.get(address(model, "add")).status_code == 403
    period.refresh_from_db()
    assert period.runs == 1
    assert RunCharge.objects.count() == 1


def test_a_member_sees_none_of_it(cast: Cast) -> None:
    for model in ("subscription", "usageperiod", "runcharge"):
        assert cast.alice.client.get(address(model, "changelist")).status_code == 302


def test_rows_have_names(cast: Cast) -> None:
    ledger.record([charge_of(cast.alice.organisation.pk)])
    assert str(UsagePeriod.objects.get()).endswith(": 1 runs")
    assert str(RunCharge.objects.get()).startswith("python-3.14 success (")

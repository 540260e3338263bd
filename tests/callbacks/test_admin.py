"""The administration shows staff how runs and callbacks fare, and neither programs nor secrets."""

import pytest
from django.test import Client
from django.urls import reverse

from execution.models import DeliveryAttempt, Endpoint
from execution.models.packing import pack
from tests.cast import make_user


@pytest.fixture
def staff(cast):
    user = make_user("staff@example.org")
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize("model", ["run", "delivery", "endpoint"])
def test_staff_looks_and_changes_nothing(cast, staff, make_delivery, model):
    delivery = make_delivery(cast.alice, "https://example.com/results")
    DeliveryAttempt.objects.create(delivery=delivery, url="https://example.com/results", cause="Refused.", seconds=1)
    delivery.run.request = pack({"compiler": "gcc-15", "code": "the program"})
    delivery.run.save()
    shown = {"run": delivery.run, "delivery": delivery, "endpoint": delivery.endpoint}[model]
    for page in (
        reverse(f"admin:execution_{model}_changelist"),
        reverse(f"admin:execution_{model}_change", args=[shown.pk]),
    ):
        response = staff.get(page)
        assert response.status_code == 200
        text = response.content.decode()
        assert "the program" not in text
        assert Endpoint.objects.get().secret not in text
    assert staff.post(reverse(f"admin:execution_{model}_change", args=[shown.pk]), {}).status_code == 403
    assert staff.get(reverse(f"admin:execution_{model}_add")).status_code == 403
    assert staff.post(reverse(f"admin:execution_{model}_delete", args=[shown.pk]), {"post": "yes"}).status_code == 403

"""Widgets in the administration: staff looks at them, and changes nothing."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Cast, make_user
from widgets.lifecycle import create_widget
from widgets.models import Widget


@pytest.fixture
def widget(cast: Cast) -> Widget:
    return create_widget(
        organisation=cast.alice.organisation,
        created_by=cast.alice.user,
        name="Lesson 1",
        compiler="python-3.14",
        theme="dark",
        height=400,
        program="print(1)",
    )


@pytest.fixture
def staff(cast: Cast) -> Client:
    user = make_user("staff@example.org")
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def address(action: str, *arguments: Any) -> str:
    return reverse(f"admin:widgets_widget_{action}", args=arguments)


def test_staff_finds_a_widget_by_its_name_and_its_organisation(cast: Cast, staff: Client, widget: Widget) -> None:
    for words in ("Lesson", cast.alice.organisation.name):
        assert "Lesson 1" in staff.get(address("changelist"), {"q": words}).content.decode()
    assert "Lesson 1" not in staff.get(address("changelist"), {"q": "Charlie"}).content.decode()
    assert "print(1)" in staff.get(address("change", widget.pk)).content.decode()


def test_nothing_is_made_changed_or_deleted_there(staff: Client, widget: Widget) -> None:
    assert staff.get(address("add")).status_code == 403
    assert staff.post(address("change", widget.pk), {"program": "other"}).status_code == 403
    assert staff.post(address("delete", widget.pk), {"post": "yes"}).status_code == 403
    assert Widget.objects.get().program == "print(1)"


def test_a_member_sees_none_of_it(cast: Cast, widget: Widget) -> None:
    assert cast.alice.client.get(address("changelist")).status_code == 302
    assert cast.alice.client.get(address("change", widget.pk)).status_code == 302

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Organisation, User, WebSocketKey
from tests.cast import Cast, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(cast: Cast) -> Client:
    user = make_user("staff@example.org")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def secrets_of(cast: Cast) -> list[str]:
    found = [organisation.secret for organisation in Organisation.objects.all()]
    found += [organisation.secret_digest for organisation in Organisation.objects.all()]
    found += [key.digest for key in ApiKey.objects.all()]
    for key in WebSocketKey.objects.all():
        found += [key.digest, key.value]
    return [*found, cast.alice.api_key]


PAGES = [
    ("user", lambda cast: cast.alice.user),
    ("organisation", lambda cast: cast.alice.organisation),
    ("apikey", lambda cast: cast.alice.api_key_row),
    ("websocketkey", lambda cast: cast.alice.websocket_key_row),
]


@pytest.mark.parametrize(("model", "row"), PAGES)
def test_no_page_shows_a_secret_or_a_digest(staff: Client, cast: Cast, model: str, row) -> None:
    pages = [
        staff.get(reverse(f"admin:accounts_{model}_changelist"), {"q": "alice"}),
        staff.get(reverse(f"admin:accounts_{model}_change", args=[row(cast).pk])),
    ]

    for page in pages:
        assert page.status_code == 200
        text = page.content.decode()
        assert "alice" in text.lower()
        for secret in secrets_of(cast):
            assert secret not in text


@pytest.mark.parametrize(("model", "row"), PAGES)
def test_only_staff_gets_in(cast: Cast, model: str, row) -> None:
    for path in (
        reverse(f"admin:accounts_{model}_changelist"),
        reverse(f"admin:accounts_{model}_change", args=[row(cast).pk]),
    ):
        assert cast.alice.client.get(path).status_code in (302, 403)
        assert Client().get(path).status_code == 302


def test_signing_in_goes_through_the_ordinary_page() -> None:
    response = Client().get(reverse("admin:login"))

    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("model", "name"), [(ApiKey, "apikey"), (WebSocketKey, "websocketkey")], ids=["api", "websocket"]
)
def test_staff_revokes_keys(staff: Client, cast: Cast, model: type[ApiKey] | type[WebSocketKey], name: str) -> None:
    key = cast.charlie.api_key_row if model is ApiKey else cast.charlie.websocket_key_row

    staff.post(reverse(f"admin:accounts_{name}_changelist"), {"action": "revoke", "_selected_action": [key.pk]})

    assert [one.pk for one in model.objects.exclude(revoked_at=None)] == [key.pk]


@pytest.mark.parametrize("name", ["apikey", "websocketkey"])
def test_keys_are_neither_made_nor_changed_nor_deleted_here(staff: Client, cast: Cast, name: str) -> None:
    key = cast.alice.api_key_row if name == "apikey" else cast.alice.websocket_key_row

    assert staff.get(reverse(f"admin:accounts_{name}_add")).status_code == 403
    assert staff.post(reverse(f"admin:accounts_{name}_change", args=[key.pk]), {"name": "mine"}).status_code == 403
    assert staff.post(reverse(f"admin:accounts_{name}_delete", args=[key.pk]), {"post": "yes"}).status_code == 403
    key.refresh_from_db()
    assert key.name != "mine"


def test_nothing_that_owns_something_is_deleted_here(staff: Client, cast: Cast) -> None:
    for name, row in (("user", cast.alice.user), ("organisation", cast.alice.organisation)):
        path = reverse(f"admin:accounts_{name}_delete", args=[row.pk])
        assert staff.post(path, {"post": "yes"}).status_code == 403
        row.refresh_from_db()


def test_staff_replaces_an_account_secret(staff: Client, cast: Cast) -> None:
    old = {organisation.pk: organisation.secret for organisation in Organisation.objects.all()}

    staff.post(
        reverse("admin:accounts_organisation_changelist"),
        {"action": "rotate_secrets", "_selected_action": [cast.charlie.organisation.pk]},
    )

    changed = [one for one in Organisation.objects.all() if one.secret != old[one.pk]]
    assert changed == [cast.charlie.organisation]


def test_staff_adds_a_user_with_an_organisation(staff: Client) -> None:
    fields = {
        "email": "Dora@Example.org",
        "usable_password": "true",
        "password1": "correct-horse-battery",
        "password2": "correct-horse-battery",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }

    assert staff.get(reverse("admin:accounts_user_add")).status_code == 200
    response = staff.post(reverse("admin:accounts_user_add"), fields)

    assert response.status_code == 302, response.context["errors"]
    user = User.objects.get(email="dora@example.org")
    assert user.personal_organisation.name == "dora"
    assert user.check_password("correct-horse-battery")


def test_staff_may_deactivate_a_user(staff: Client, cast: Cast) -> None:
    user = cast.charlie.user
    fields = {
        "email": user.email,
        "name": "Charlie",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }

    response = staff.post(reverse("admin:accounts_user_change", args=[user.pk]), fields)

    assert response.status_code == 302, response.context["errors"]
    user.refresh_from_db()
    assert not user.is_active
    assert user.personal_organisation == cast.charlie.organisation

"""The dashboard's pages for widgets."""

import html

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from accounts.models import Membership
from tests.cast import Cast, Person
from tests.pages.html import Element, parse
from widgets.lifecycle import create_widget
from widgets.models import Widget

FIELDS = {"name": "Lesson 1", "compiler": "openjdk-25", "theme": "light", "height": "300", "program": "", "origins": ""}


def page(client: Client, path: str) -> Element:
    response = client.get(path)
    assert response.status_code == 200
    return parse(response.content.decode())


def make(person: Person, **fields: str) -> HttpResponse:
    return person.client.post("/dashboard/widgets/", FIELDS | fields)  # type: ignore[return-value]


def made(person: Person, **fields: str) -> Widget:
    assert make(person, **fields).status_code == 302
    return Widget.objects.filter(key__organisation=person.organisation).latest("pk")


def widget_of(person: Person, name: str) -> Widget:
    return create_widget(
        organisation=person.organisation,
        created_by=person.user,
        name=name,
        compiler="python-3.14",
        theme="dark",
        height=400,
        program="",
    )


def snippet(client: Client, widget: Widget) -> str:
    code = page(client, f"/dashboard/widgets/{widget.pk}/").one("code", id="snippet")
    return "".join(child for child in code.children if isinstance(child, str))


def test_a_new_widget_has_a_key_of_its_own_and_leads_to_its_page(cast: Cast) -> None:
    response = make(cast.alice, origins="https://example.com\n*.example.org")
    widget = Widget.objects.get()
    assert response["Location"] == f"/dashboard/widgets/{widget.pk}/"
    assert widget.key.organisation == cast.alice.organisation
    assert widget.key.created_by == cast.alice.user
    assert widget.key.origins == ["https://example.com", "*.example.org"]
    assert (widget.compiler, widget.theme, widget.height) == ("openjdk-25", "light", 300)


def test_its_lines_are_those_of_the_documentation(cast: Cast) -> None:
    widget = made(cast.alice)
    assert snippet(cast.alice.client, widget) == (
        f'<div class="runcode" data-key="{widget.key.value}" data-lang="openjdk-25" data-theme="light" '
        f'data-height="300"></div>\n<script src="{settings.PUBLIC_URL}/widget.js"></script>\n'
    )


def test_what_is_as_usual_is_left_out_of_the_lines(cast: Cast) -> None:
    widget = made(cast.alice, compiler="python-3.14", theme="dark", height="400")
    assert snippet(cast.alice.client, widget).startswith(f'<div class="runcode" data-key="{widget.key.value}"></div>\n')


def test_a_program_stands_in_the_lines_as_text(cast: Cast) -> None:
    widget = made(cast.alice, program='if a < b && "x":\r\n    print("</div><script>")\r\n')
    assert widget.program == 'if a < b && "x":\n    print("</div><script>")\n'
    lines = snippet(cast.alice.client, widget)
    assert '>\nif a &lt; b &amp;&amp; "x":\n    print("&lt;/div&gt;&lt;script&gt;")\n</div>\n' in lines
    preview = page(cast.alice.client, f"/dashboard/widgets/{widget.pk}/").one("div", id="preview").one("div")
    assert preview.text == html.unescape(preview.text)
    assert "</div><script>" in preview.text


def test_the_preview_is_the_widget_itself(cast: Cast) -> None:
    widget = made(cast.alice)
    whole = page(cast.alice.client, f"/dashboard/widgets/{widget.pk}/")
    preview = whole.one("div", id="preview").one("div", class_="runcode")
    assert preview["data-key"] == widget.key.value
    assert whole.all("script", src="/widget.js")


def test_it_can_be_changed_and_keeps_its_key(cast: Cast) -> None:
    widget = made(cast.alice)
    path = f"/dashboard/widgets/{widget.pk}/"
    fields = {
        "name": "Lesson 2",
        "compiler": "go-1.26",
        "theme": "dark",
        "height": "500",
        "program": "x",
        "origins": "a.test",
    }
    assert cast.alice.client.post(path, fields).status_code == 302
    changed = Widget.objects.get(pk=widget.pk)
    assert (changed.key.name, changed.key.origins, changed.key.value) == ("Lesson 2", ["a.test"], widget.key.value)
    assert (changed.compiler, changed.theme, changed.height, changed.program) == ("go-1.26", "dark", 500, "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("origins", "https://example.com/path"),
        ("compiler", "cobol"),
        ("theme", "pink"),
        ("height", "20"),
        ("height", "99999"),
        ("height", "tall"),
        ("program", "x" * 102_401),
        ("networks", "203.0.113.0/33"),
        ("expires_at", "2001-01-01T00:00"),
    ],
)
def test_it_refuses_bad_input_at_the_field(cast: Cast, field: str, value: str) -> None:
    keys = cast.alice.organisation.websocket_keys.count()
    response = make(cast.alice, **{field: value})
    assert response.status_code == 200
    assert parse(response.content.decode()).one("ul", id=f"id_{field}_error").text
    assert not Widget.objects.exists()
    assert cast.alice.organisation.websocket_keys.count() == keys
    widget = widget_of(cast.alice, "Kept")
    response = cast.alice.client.post(f"/dashboard/widgets/{widget.pk}/", FIELDS | {field: value})  # type: ignore[assignment]
    assert response.status_code == 200
    assert parse(response.content.decode()).one("ul", id=f"id_{field}_error").text
    assert Widget.objects.get(pk=widget.pk).key.name == "Kept"


def test_a_revoked_widget_stands_apart_and_can_no_longer_be_changed(cast: Cast) -> None:
    widget = made(cast.alice)
    path = f"/dashboard/widgets/{widget.pk}/"
    assert "Lesson 1" in page(cast.alice.client, f"{path}revoke/").one("h1").text
    assert cast.alice.client.post(f"{path}revoke/").status_code == 302
    widget.key.refresh_from_db()
    assert widget.key.state == "revoked"
    listed = page(cast.alice.client, "/dashboard/widgets/")
    assert "Lesson 1" in listed.one("details", class_="ended").text
    assert not page(cast.alice.client, path).all("form", id="widget-form")


def test_a_member_may_look_and_try_but_not_make_change_or_revoke(cast: Cast) -> None:
    widget = widget_of(cast.alice, "Alice’s lesson")
    assert "Alice’s lesson" in page(cast.bob.client, "/dashboard/widgets/").one("main").text
    assert widget.key.value in snippet(cast.bob.client, widget)
    assert not page(cast.bob.client, f"/dashboard/widgets/{widget.pk}/").all("form", id="widget-form")
    assert make(cast.bob).status_code == 403
    assert cast.bob.client.post(f"/dashboard/widgets/{widget.pk}/", FIELDS).status_code == 403
    assert cast.bob.client.get(f"/dashboard/widgets/{widget.pk}/revoke/").status_code == 403
    assert cast.bob.client.post(f"/dashboard/widgets/{widget.pk}/revoke/").status_code == 403
    widget.key.refresh_from_db()
    assert (widget.key.state, widget.key.name, Widget.objects.count()) == ("live", "Alice’s lesson", 1)


def test_an_admin_may_do_all_of_it(cast: Cast) -> None:
    cast.bob.membership.role = Membership.Role.ADMIN
    cast.bob.membership.save()
    widget = made(cast.bob)
    assert cast.bob.client.post(f"/dashboard/widgets/{widget.pk}/revoke/").status_code == 302


def test_a_stranger_finds_nothing(cast: Cast) -> None:
    widget = widget_of(cast.alice, "Alice’s lesson")
    widget_of(cast.charlie, "Charlie’s lesson")
    text = page(cast.charlie.client, "/dashboard/widgets/").text
    assert "Charlie’s lesson" in text
    assert "Alice’s lesson" not in text
    path = f"/dashboard/widgets/{widget.pk}/"
    for address in (path, f"{path}revoke/"):
        assert cast.charlie.client.get(address).status_code == 404
        assert cast.charlie.client.post(address, FIELDS).status_code == 404
    widget.key.refresh_from_db()
    assert (widget.key.state, widget.key.name) == ("live", "Alice’s lesson")


def test_it_asks_for_the_form_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post("/dashboard/widgets/", FIELDS).status_code == 403

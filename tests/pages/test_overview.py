"""The dashboard's first page."""

import pytest
from django.utils import timezone

from accounts.models import ApiKey, Organisation
from billing.models import UsagePeriod
from billing.periods import current_month
from billing.plans import FREE
from tests.cast import Cast, Person
from tests.pages.html import Element, parse


def overview(person: Person) -> Element:
    response = person.client.get("/dashboard/")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return parse(response.content.decode())


def use(organisation: Organisation, runs: int) -> None:
    month = current_month()
    UsagePeriod.objects.create(organisation=organisation, start=month.starts_at, end=month.ends_at, runs=runs)


def figures(page: Element) -> dict[str, str]:
    return {row.one("dt").text: row.one("dd").text for part in page.all("dl") for row in part.all("div")}


def test_it_tells_what_is_used_and_left(cast: Cast) -> None:
    use(cast.alice.organisation, 1_234)
    told = figures(overview(cast.bob))
    assert (told["used"], told["left"], told["in the plan"]) == ("1,234", "3,766", "5,000")


def test_it_tells_nothing_of_a_stranger(cast: Cast) -> None:
    use(cast.charlie.organisation, 4_321)
    page = overview(cast.alice)
    assert figures(page)["used"] == "0"
    assert "4,321" not in page.text
    assert cast.charlie.organisation.name not in page.text


@pytest.mark.parametrize(
    ("runs", "percent", "look", "words"),
    [
        (0, "0", "bar", ""),
        (3_999, "79", "bar", ""),
        (4_000, "80", "bar bar--warn", "Most of the plan’s runs are used."),
        (4_999, "99", "bar bar--warn", "Most of the plan’s runs are used."),
        (5_000, "100", "bar bar--full", "The plan’s runs are used up."),
    ],
)
def test_the_bar_warns_in_time(cast: Cast, runs: int, percent: str, look: str, words: str) -> None:
    assert FREE.runs_per_month == 5_000
    use(cast.alice.organisation, runs)
    page = overview(cast.alice)
    bar = page.one("progress")
    assert (bar["value"], bar["class"]) == (percent, look)
    assert words in page.text
    assert bool(page.all("p", class_="notice notice--error")) == (runs == 5_000)


def test_it_counts_the_keys_in_use(cast: Cast) -> None:
    assert figures(overview(cast.alice))["API keys"] == "2"
    ApiKey.objects.filter(pk=cast.bob.api_key_row.pk).update(revoked_at=timezone.now())
    assert figures(overview(cast.alice))["API keys"] == "1"


def test_a_new_account_is_led_to_a_key_then_to_a_run_then_left_alone(cast: Cast) -> None:
    ApiKey.objects.filter(organisation=cast.charlie.organisation).update(revoked_at=timezone.now())
    assert "Next: make an API key" in overview(cast.charlie).text
    ApiKey.objects.filter(organisation=cast.charlie.organisation).update(revoked_at=None)
    assert "Next: run something" in overview(cast.charlie).text
    use(cast.charlie.organisation, 1)
    assert "Next:" not in overview(cast.charlie).text

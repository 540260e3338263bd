import threading
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.db.models import Count

from billing import ledger
from billing.models import RunCharge, UsagePeriod
from billing.periods import Period, current_month
from tests.billing.runs import USAGE, charge_of
from tests.cast import Cast

JUNE, JULY = Period(1_780_272_000, 1_782_864_000), Period(1_782_864_000, 1_785_542_400)


def consistent() -> bool:
    """Whether every period's count is the number of its charges."""
    charges = RunCharge.objects.order_by().values_list("organisation_id", "period_start").annotate(Count("pk"))
    periods = UsagePeriod.objects.order_by().values_list("organisation_id", "start", "runs")
    return sorted(charges) == sorted(periods.filter(runs__gt=0))


def test_a_charge_is_written_as_it_was(cast: Cast) -> None:
    charge = charge_of(cast.alice.organisation.pk, period=JULY)
    assert ledger.record([charge]) == {(cast.alice.organisation.pk, JULY.start): 1}

    row = RunCharge.objects.get()
    assert (row.pk, row.organisation, row.period_start) == (charge.run_id, cast.alice.organisation, JULY.starts_at)
    assert (row.key_id, row.key_kind) == (7, "api")
    for name in USAGE.__dataclass_fields__:
        assert getattr(row, name) == getattr(USAGE, name), name
    period = UsagePeriod.objects.get()
    assert (period.start, period.end, period.runs) == (JULY.starts_at, JULY.ends_at, 1)


def test_recording_again_changes_nothing(cast: Cast) -> None:
    organisation_id = cast.alice.organisation.pk
    charges = [charge_of(organisation_id) for _ in range(5)]
    key = (organisation_id, current_month().start)
    assert ledger.record(charges[:3]) == {key: 3}
    assert ledger.record(charges) == {key: 5}
    assert ledger.record([*charges, *charges]) == {key: 5}
    assert RunCharge.objects.count() == 5
    assert consistent()


def test_organisations_and_periods_are_counted_apart(cast: Cast) -> None:
    alice, charlie = cast.alice.organisation.pk, cast.charlie.organisation.pk
    totals = ledger.record(
        [
            *(charge_of(alice, period=JUNE) for _ in range(2)),
            *(charge_of(alice, period=JULY) for _ in range(3)),
            *(charge_of(charlie, period=JULY) for _ in range(4)),
        ]
    )
    assert totals == {(alice, JUNE.start): 2, (alice, JULY.start): 3, (charlie, JULY.start): 4}
    assert [ledger.total_of(alice, JUNE), ledger.total_of(alice, JULY), ledger.total_of(charlie, JUNE)] == [2, 3, 0]
    assert consistent()


def test_a_period_that_was_cut_short_is_one_period(cast: Cast) -> None:
    organisation_id = cast.alice.organisation.pk
    shorter = Period(JULY.start, JULY.end - 86_400)
    charges = [charge_of(organisation_id, period=JULY), charge_of(organisation_id, period=shorter)]
    assert ledger.record(charges) == {(organisation_id, JULY.start): 2}
    assert consistent()


def test_a_deleted_organisation_does_not_hold_up_the_others(cast: Cast) -> None:
    alice, charlie = cast.alice.organisation.pk, cast.charlie.organisation.pk
    cast.charlie.organisation.delete()
    assert ledger.record([charge_of(charlie), charge_of(alice)]) == {(alice, current_month().start): 1}
    assert ledger.record([charge_of(charlie)]) == {}
    assert RunCharge.objects.count() == 1


def test_deleting_an_organisation_deletes_its_bill(cast: Cast) -> None:
    ledger.record([charge_of(cast.charlie.organisation.pk), charge_of(cast.alice.organisation.pk)])
    cast.charlie.organisation.delete()
    assert RunCharge.objects.get().organisation == cast.alice.organisation
    assert UsagePeriod.objects.get().organisation == cast.alice.organisation


@pytest.mark.django_db(transaction=True)
def test_two_that_record_the_same_at_once_bill_it_once(cast: Cast) -> None:
    alice, charlie = cast.alice.organisation.pk, cast.charlie.organisation.pk
    charges = [charge_of(organisation_id) for organisation_id in (alice, charlie) for _ in range(50)]
    errors: list[DatabaseError] = []

    def record_all(order: int) -> None:
        try:
            for start in range(0, len(charges), 10):
                ledger.record(charges[::order][start : start + 20])
        except DatabaseError as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=record_all, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert RunCharge.objects.count() == 100
    assert [ledger.total_of(alice, current_month()), ledger.total_of(charlie, current_month())] == [50, 50]
    assert consistent()


def test_it_looks_again_when_another_process_was_faster(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation_id = cast.alice.organisation.pk
    charge = charge_of(organisation_id)
    record, beaten = ledger._record, []

    def beaten_once(charges: object) -> ledger.Totals:
        if not beaten:
            beaten.append(True)
            raise IntegrityError("UNIQUE constraint failed")
        return record(charges)

    monkeypatch.setattr(ledger, "_record", beaten_once)
    assert ledger.record([charge]) == {(organisation_id, current_month().start): 1}


def test_it_gives_up_on_what_never_fits(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(charges: object) -> ledger.Totals:
        raise IntegrityError("CHECK constraint failed")

    monkeypatch.setattr(ledger, "_record", never)
    with pytest.raises(IntegrityError):
        ledger.record([charge_of(cast.alice.organisation.pk, run_id=uuid4())])

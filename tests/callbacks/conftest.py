from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from execution.callbacks.courier import Courier
from execution.callbacks.creation import deliver_run
from execution.models import Delivery, Run
from execution.models.packing import pack
from tests.callbacks.receiver import Receiver, receiving
from tests.cast import Person

MakeDelivery = Callable[..., Delivery]


@pytest.fixture
def make_delivery(db: None) -> MakeDelivery:
    """A finished run of this person's key, and the delivery of its result to `url`."""

    def make(person: Person, url: str, **fields: Any) -> Delivery:
        key = person.api_key_row
        key.redirect_url = url
        key.save(update_fields=["redirect_url"])
        run = Run.objects.create(
            organisation=person.organisation,
            key_id=key.pk,
            key_kind="api",
            surface=Run.Surface.ASYNC,
            compiler="gcc-15",
            status=Run.Status.FINISHED,
            outcome="success",
            exit_code=0,
            stdout=b"42\n",
            extra_params=pack({"order": 7}),
            request=pack({"compiler": "gcc-15", "code": ""}),
        )
        delivery = deliver_run(run)
        assert delivery is not None
        if fields:
            Delivery.objects.filter(pk=delivery.pk).update(**fields)
            delivery.refresh_from_db()
        return delivery

    return make


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """An endpoint on this machine, to which this installation may send."""
    settings.CALLBACK_ALLOW_PRIVATE = True
    with receiving() as receiver:
        yield receiver


@pytest.fixture
async def courier(transactional_db: None, receiver: Receiver) -> AsyncIterator[Courier]:
    """Delivers what is due when it is told to."""
    courier = Courier()
    yield courier
    await courier.aclose()

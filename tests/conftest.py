"""What tests of several apps use."""

import signal
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings

from tests.sandbox import engine, supervisors
from tests.server import Service, running_service

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So are commands that a script starts in the background, and what they start: services that a test wants to end by
    # Ctrl-C would be deaf for it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.cast", "tests.languages.summary", "tests.metering"]


@pytest.fixture(autouse=True)
def _no_request_id() -> None:
    """No test's log lines carry the request id of another's."""
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def sandbox_of_session() -> Iterator[supervisors.RunningSupervisor]:
    supervisor = supervisors.start(settings.RUNCODE_HOME)
    yield supervisor
    if supervisor.process.poll() is None:
        supervisor.process.send_signal(signal.SIGTERM)
        supervisor.process.wait(supervisors.PATIENCE)


@pytest.fixture
def sandbox(sandbox_of_session: supervisors.RunningSupervisor) -> supervisors.RunningSupervisor:
    """The sandbox supervisor of this test process' installation: with it, `run_code` runs code."""
    assert sandbox_of_session.process.poll() is None, sandbox_of_session.log()
    return sandbox_of_session


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[str]:
    """The address of a real Docker Engine, which all test processes share."""
    with engine.running() as host:
        yield host


@pytest.fixture(scope="session")
def service_of_session() -> Iterator[Service]:
    with running_service() as service:
        yield service


@pytest.fixture
def service(service_of_session: Service) -> Service:
    """The whole service in processes of its own, with a demo account. One for all tests of this test process."""
    service_of_session.wait_until_ready()
    return service_of_session

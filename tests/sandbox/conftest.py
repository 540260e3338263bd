from collections.abc import AsyncIterator, Iterator

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.context_client import ContextClient
from tests.sandbox import supervisors
from tests.sandbox.opened import ALICE, CHARLIE, Context, open_context
from tests.sandbox.supervisors import ALL_ON_BOTH

# Tests of kernels that try what each driver does in ways of its own: the channel, the streams, limits, rest, the end.
# The others are the kernels' and are tried on one driver; `make test-drivers` tries all of them on both.
KERNELS_ON_BOTH = {
    "test_what_a_cell_made_is_there_in_the_next",
    "test_the_streams_are_the_cells_own_and_of_its_child_processes_too",
    "test_input_comes_from_the_request_or_live",
    "test_a_cell_past_its_time_is_interrupted_and_the_state_kept",
    "test_a_cell_that_does_not_obey_ends_its_context",
    "test_endless_output_is_cut_and_the_state_kept",
    "test_what_is_large_comes_whole_both_ways",
    "test_too_much_memory_ends_the_context_alone",
    "test_nothing_goes_on_in_a_context_that_did_not_obey",
    "test_one_that_is_killed_from_outside_has_ended",
    "test_closing_leaves_nothing",
    "test_nonsense_on_the_channel_ends_its_context_at_most",
    "test_threads_of_a_cell_get_next_to_nothing_once_it_has_ended",
    "test_who_goes_away_interrupts_the_cell",
    "test_a_context_has_the_limits_that_it_was_opened_with",
    "test_a_watcher_who_is_slow_holds_the_cell_back",
    "test_declarations_stay_and_may_be_made_anew",
    "test_exit_ends_the_context",
    "test_files_are_written_listed_read_and_removed",
    "test_they_are_reached_while_a_cell_runs",
    "test_any_bytes_come_back_as_they_were_up_to_the_limit",
    "test_who_goes_away_in_the_middle_leaves_the_files_in_order",
    "test_no_link_is_followed",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kernel_supervisor" in metafunc.fixturenames:
        both = ALL_ON_BOTH or metafunc.function.__name__ in KERNELS_ON_BOTH
        metafunc.parametrize("kernel_supervisor", ["native", "docker"] if both else ["native"], indirect=True)


@pytest.fixture(scope="session")
def shared_supervisor() -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running() as supervisor:
        yield supervisor


@pytest.fixture(scope="session")
def docker_supervisor(docker_engine: str) -> Iterator[supervisors.RunningSupervisor]:
    with supervisors.running(engine=docker_engine) as supervisor:
        yield supervisor


@pytest.fixture
async def docker_client(docker_supervisor: supervisors.RunningSupervisor) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(docker_supervisor.socket)
    yield client
    await client.aclose()


@pytest.fixture
def supervisor(shared_supervisor: supervisors.RunningSupervisor) -> supervisors.RunningSupervisor:
    assert shared_supervisor.process.poll() is None, shared_supervisor.log()
    return shared_supervisor


@pytest.fixture(params=["native", "docker"])
def every_supervisor(request: pytest.FixtureRequest) -> supervisors.RunningSupervisor:
    """For what every driver does alike: a supervisor of each, in turn."""
    return _of_driver(request)


@pytest.fixture
def kernel_supervisor(request: pytest.FixtureRequest) -> supervisors.RunningSupervisor:
    """A supervisor of each of the drivers that the kernels' test is for, in turn."""
    return _of_driver(request)


@pytest.fixture
async def kernel_client(kernel_supervisor: supervisors.RunningSupervisor) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(kernel_supervisor.socket)
    yield client
    await client.aclose()


def _of_driver(request: pytest.FixtureRequest) -> supervisors.RunningSupervisor:
    name = {"native": "shared_supervisor", "docker": "docker_supervisor"}[request.param]
    supervisor: supervisors.RunningSupervisor = request.getfixturevalue(name)
    assert supervisor.process.poll() is None, supervisor.log()
    return supervisor


@pytest.fixture
async def client(supervisor: supervisors.RunningSupervisor) -> AsyncIterator[SandboxClient]:
    client = SandboxClient(supervisor.socket)
    yield client
    await client.aclose()


@pytest.fixture
async def contexts(kernel_client: SandboxClient) -> AsyncIterator[ContextClient]:
    contexts = ContextClient(kernel_client)
    yield contexts
    for scope in (ALICE, CHARLIE):
        for info in await contexts.listed(scope=scope):
            await contexts.close(scope=scope, context_id=info.id)


@pytest.fixture
async def context(contexts: ContextClient) -> Context:
    return await open_context(contexts)

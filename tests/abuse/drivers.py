"""The drivers that hostile programs are tried on."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.abuse.docker_host import docker_host
from tests.abuse.hosts import Host, native_host
from tests.sandbox.supervisors import ALL_ON_BOTH

HOSTS: dict[str, Callable[[], AbstractContextManager[Host]]] = {"native": native_host, "docker": docker_host}

HOSTS_OF_LONG_TESTS = tuple(HOSTS) if ALL_ON_BOTH else ("native",)
"""For tests of minutes about what all drivers share."""

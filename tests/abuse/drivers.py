"""The drivers that hostile programs are tried on."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.abuse.docker_host import docker_host
from tests.abuse.hosts import Host, native_host

HOSTS: dict[str, Callable[[], AbstractContextManager[Host]]] = {"native": native_host, "docker": docker_host}

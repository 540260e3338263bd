"""Sandboxes made ahead share nothing: a hundred programs, most of them given to interpreters that were up already."""

import asyncio

import pytest

from execution.sandbox.client import SandboxClient
from execution.sandbox.errors import ToolchainMissing
from execution.sandbox.job import Job, Limits, Outcome
from tests.abuse.drivers import HOSTS_OF_LONG_TESTS

RUNS, AT_ONCE = 100, 10
DRAWS = {
    "python-3.14": """
import os, random, secrets, tempfile, uuid
print(os.urandom(8).hex(), random.random(), hash("a"), uuid.uuid4(), uuid.uuid1(), secrets.token_hex(8), id(object()))
print(tempfile.mktemp(), open("/proc/sys/kernel/random/uuid").read().strip())
try:
    import ssl
    print(ssl.RAND_bytes(8).hex())
except ImportError:
    pass
try:
    import numpy
    print(numpy.random.rand(), numpy.random.default_rng().random())
except ImportError:
    pass
""",
    "node": """
const crypto = require("crypto"), fs = require("fs"), os = require("os");
console.log(Math.random(), crypto.randomUUID(), crypto.randomBytes(8).toString("hex"));
console.log(fs.mkdtempSync(os.tmpdir() + "/x"));
""",
    "ruby-4.0": """
require "securerandom"; require "tmpdir"
puts [rand, SecureRandom.hex(8), "a".hash, Random.new_seed, Dir.mktmpdir].join(" ")
""",
    "php-8.5": """<?php
echo mt_rand() . mt_rand(), " ", random_int(0, PHP_INT_MAX), " ", bin2hex(random_bytes(8)), " ", uniqid("", true);
""",
    "perl-5.42": "use File::Temp qw(tempdir); print join ' ', rand(), tempdir();",
}
MADE_AHEAD = """
import os
print(os.getppid(), sorted(pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) not in (1, os.getpid())))
print(sorted(os.listdir("/proc/self/fd"))[:3], os.getcwd(), os.listdir("."), sorted(os.environ), os.nice(0))
print(open("/proc/self/status").read().count("Threads:\\t1\\n"), os.getpgrp() == os.getsid(0) == os.getpid())
print([os.getrandom(1) != b"" for _ in range(2)], open("/proc/self/cmdline").read().split("\\0")[-2])
"""


@pytest.mark.parametrize("host", HOSTS_OF_LONG_TESTS, indirect=True)
@pytest.mark.parametrize("compiler", DRAWS)
async def test_no_two_of_a_hundred_programs_draw_alike(client: SandboxClient, compiler: str) -> None:
    name = {"python-3.14": "main.py", "node": "main.js", "ruby-4.0": "main.rb", "php-8.5": "main.php"}
    file = name.get(compiler, "main.pl")
    job = Job(compiler, {file: DRAWS[compiler].encode()}, file, limits=Limits(wall_seconds=20))
    results = []
    for _ in range(RUNS // AT_ONCE):
        try:
            results += await asyncio.gather(*(client.run(job) for _ in range(AT_ONCE)))
        except ToolchainMissing:
            pytest.skip(f"{compiler} is not installed")
    assert {result.outcome for result in results} == {Outcome.SUCCESS}, results[0]
    columns = list(zip(*(result.stdout.split() for result in results), strict=True))
    assert len(columns) >= 2
    assert [len(set(column)) for column in columns] == [RUNS] * len(columns), results[:2]


async def test_an_interpreter_that_was_up_already_is_told_from_a_new_one_by_nothing(client: SandboxClient) -> None:
    """`hot` takes one that waits; a program with arguments gets a new one."""
    code = {"main.py": MADE_AHEAD.encode()}
    hot = await client.run(Job("python-3.14", code, "main.py"))
    cold = await client.run(Job("python-3.14", code, "main.py", env={"HOME": "/work"}))
    assert hot.outcome is Outcome.SUCCESS, hot
    assert hot.stdout == cold.stdout

"""What mmdebstrap says, as progress."""

import re

from execution.toolchains.layers.base import Build

PHASES = {"Get": "downloading", "Unpacking": "unpacking", "Setting up": "setting up"}

# How much of a recipe each half is where both are made, seen with python-gcc: the base system, then its packages.
BASE, PACKAGES = (0.05, 0.40), (0.40, 0.85)


class Phases:
    """Reads the output of mmdebstrap --verbose: apt downloads (`Get:`), unpacks and sets up as many packages as it
    announces, for the base system and again for what comes on it."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.share = BASE
        self.total = 0
        self.seen = dict.fromkeys(PHASES, 0)

    def base_is_there(self) -> None:
        """From here on it is about the recipe's own packages."""
        self.share, self.total = PACKAGES, 0

    def line(self, line: str) -> None:
        if line.startswith("I: running apt-get update"):
            self.build.show("reading the package lists", fraction=self.share[0] - 0.03)
        elif announced := re.search(r"(\d+) newly installed", line):
            self.total = int(announced[1])
            self.seen = dict.fromkeys(PHASES, 0)
        elif self.total and (step := re.match(r"(Get|Unpacking|Setting up)(?::\d+ \S+ \S+ \S+)? ([^\s:]+)", line)):
            self._step(step[1], step[2])

    def _step(self, what: str, package: str) -> None:
        self.seen[what] += 1
        done = sum(min(count, self.total) for count in self.seen.values()) / (3 * self.total)
        start, end = self.share
        self.build.show(PHASES[what], f"{self.seen[what]}/{self.total} {package}", start + done * (end - start))

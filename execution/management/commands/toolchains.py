"""`./manage.py toolchains list | install ID… | install --all | remove ID… | verify [ID…]`"""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from execution.toolchains import cli


class Command(BaseCommand):
    help = "Lists, installs, removes and verifies the compilers of this installation."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code = cli.run(Namespace(**options), settings.RUNCODE_HOME, sys.stdout)
        if code:
            sys.exit(code)

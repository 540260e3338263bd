"""`manage.py demo [--json]`: makes the demo account when there is none, and prints what it opens with."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from accounts.demo import ensure_demo


class Command(BaseCommand):
    help = "Makes the demo account of this installation when there is none, and prints its address, password and keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        demo = ensure_demo()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(demo)))
            return
        lines = (
            ("Address", demo.url),
            ("E-mail", demo.email),
            ("Password", demo.password),
            ("API key", demo.api_key),
            ("WebSocket key", demo.websocket_key),
            ("Secret", demo.secret),
        )
        for label, value in lines:
            self.stdout.write(f"{label:<14} {value}")
        self.stdout.write(f"\nRun a program:\n\n{demo.curl}")

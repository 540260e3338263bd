"""The commands of `./manage.py toolchains` and `python -m execution.toolchains`: list, install, remove, verify."""

import argparse
import sys
from pathlib import Path
from typing import TextIO

from execution.catalogue import TOOLCHAINS, installed, installed_tools
from execution.toolchains.errors import ToolchainError
from execution.toolchains.install import Installer, chosen
from execution.toolchains.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, on a parser of Django's or our own."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|install|remove|verify")
    actions.add_parser("list", help="what is installed and what could be")
    install = actions.add_parser("install", help="install compilers, or bring them up to date")
    remove = actions.add_parser("remove", help="remove compilers")
    verify = actions.add_parser("verify", help="compare installed files with their digests (all, if no id is given)")
    install.add_argument("--all", action="store_true", help="every compiler, with all its libraries, and the tools")
    install.add_argument("--libraries", action="store_true", help="with the libraries that --all brings (Python, C++)")
    install.add_argument("--again", action="store_true", help="build anew from the same recipe, for newer packages")
    for action, many in ((install, "*"), (remove, "+"), (verify, "*")):
        action.add_argument("ids", nargs=many, metavar="ID", help="such as python-3.14")


def _list(home: Path, out: TextIO) -> int:
    present = installed(home) | installed_tools(home)
    for id_, compiler in TOOLCHAINS.items():
        if manifest := present.get(id_):
            note = manifest.version + (" (a near version that stands in)" if manifest.stand_in else "")
        else:
            note = "not installed" if compiler.recipe else "no recipe in this version"
        out.write(f"{id_:<18}{compiler.name:<22}{note}\n")
    return 0


def run(options: argparse.Namespace, home: Path, out: TextIO) -> int:
    """Carries out parsed options; returns the exit code: 0 done, 1 something failed or differs, 2 wrongly called."""
    installer = Installer.at(home, Progress(out))
    try:
        if options.action == "list":
            return _list(home, out)
        if options.action == "install":
            if options.all == bool(options.ids):
                out.write("Name the compilers to install, or say --all.\n")
                return 2
            ids = [id_ for id_, c in TOOLCHAINS.items() if c.recipe] if options.all else options.ids
            problems = installer.install(
                chosen(ids, TOOLCHAINS),
                again=options.again,
                libraries=options.libraries or options.all,
                leave_out_optional=options.all,
            )
        elif options.action == "remove":
            problems = [f"{id_} is not installed" for id_ in installer.remove(chosen(options.ids, TOOLCHAINS))]
        else:
            ids = options.ids or list(installer.store.manifests())
            problems = installer.verify(chosen(ids, TOOLCHAINS))
    except ToolchainError as error:
        problems = [str(error)]
    for problem in problems:
        installer.progress.done(f"! {problem}")
    return 1 if problems else 0


def main(argv: list[str], home: Path) -> int:
    parser = argparse.ArgumentParser(prog="toolchains", description="The compilers of this installation.")
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv), home, sys.stdout)
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped. What was installed before is untouched.\n")
        return 130

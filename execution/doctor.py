"""Is this host fit? Names what is missing, with the exact command that mends it; with `--install` it mends what
Debian packages can.

    python3 execution/doctor.py [--install] [--tests] [--no-port] [--brief]

Runs on the system's Python before anything else is installed, even on one too old for the service: it imports only
the standard library and modules of ours that keep to the same rule.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    # Started as a file, Python looks for modules beside it; ours are found from the clone's top.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from execution import host_checks
from execution.environment import home, load_env_file
from execution.host_findings import Finding, as_root
from execution.host_needs import check_needs, needs
from execution.host_packages import mend
from execution.toolchains.progress import Progress


def examine(*, tests: bool, port: bool) -> list[Finding]:
    """Everything looked at, in the order in which it should be mended."""
    return [
        host_checks.check_python(),
        host_checks.check_root(),
        *check_needs(needs(tests=tests)),
        host_checks.check_user_namespaces(),
        host_checks.check_proc(),
        host_checks.check_cgroups(),
        host_checks.check_disk(home()),
        *((host_checks.check_port(),) if port else ()),
    ]


def report(findings: list[Finding], write: Callable[[str], object], *, brief: bool) -> int:
    """Prints the findings (only the bad ones if `brief`) and returns the exit code: 0 fit, 1 not."""
    bad = [finding for finding in findings if finding.remedy]
    for finding in bad if brief else findings:
        write(f"  {'NO ' if finding.remedy else 'ok '} {finding.subject:<24}{finding.detail}\n")
        if finding.remedy:
            write(f"      mend it: {finding.remedy}\n")
    packages = [package for finding in bad for package in finding.packages]
    if len(packages) > 1:
        write(f"  All packages at once: {as_root('apt-get install ' + ' '.join(packages))}\n")
    write(f"  {len(bad)} to mend before this host is fit.\n" if bad else "  This host is fit.\n")
    return 1 if bad else 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="doctor", description="Is this host fit to run the service?")
    parser.add_argument("--install", action="store_true", help="install the missing Debian packages")
    parser.add_argument("--tests", action="store_true", help="also look for what the tests need")
    parser.add_argument("--no-port", action="store_true", help="do not look whether the port is free")
    parser.add_argument("--brief", action="store_true", help="print only what is wrong")
    options = parser.parse_args(argv)
    load_env_file()
    # Tests choose free ports themselves.
    port = not (options.tests or options.no_port)
    findings = examine(tests=options.tests, port=port)
    if options.install and any(finding.packages for finding in findings):
        failure = mend(findings, Progress())
        if failure:
            sys.stdout.write(f"  The packages could not be installed:\n{failure}\n")
        findings = examine(tests=options.tests, port=port)
    return report(findings, sys.stdout.write, brief=options.brief)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

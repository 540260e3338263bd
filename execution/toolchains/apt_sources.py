"""Where this machine's own apt gets Debian from: no mirror's address stands in the code.

Reads both notations, one-line `.list` files and deb822 `.sources` files (sources.list(5)).
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

APT = Path("/etc/apt")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>(?:\s+[^\s#]+)*)"
)
DEBIAN_SUITES = {"stable", "testing", "unstable", "sid", "oldstable", "bookworm", "trixie", "forky", "duke"}


@dataclass(frozen=True)
class AptSource:
    """One place that apt reads: an address, a suite and its components."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def parse_one_line(text: str) -> Iterator[AptSource]:
    """The `deb` lines of a sources.list file."""
    for line in text.splitlines():
        found = ONE_LINE.match(line.strip())
        if found:
            options = dict(option.partition("=")[::2] for option in (found["options"] or "").split())
            signed_by = options.get("signed-by", "")
            yield AptSource(found["uri"], found["suite"], tuple(found["components"].split()), signed_by)


def parse_deb822(text: str) -> Iterator[AptSource]:
    """The enabled `deb` stanzas of a .sources file, one source for each address and suite."""
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t" and name:
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        components = tuple(fields.get("components", "").split())
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield AptSource(uri, suite, components, fields.get("signed-by", ""))


def read_sources(apt: Path = APT) -> list[AptSource]:
    """All sources of an apt configuration directory, in apt's order."""
    sources: list[AptSource] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        parse = parse_deb822 if path.suffix == ".sources" else parse_one_line
        if path.suffix in (".list", ".sources"):
            sources.extend(parse(path.read_text(encoding="utf-8", errors="replace")))
    return sources


def _addresses(uri: str) -> list[str]:
    """An address as mmdebstrap takes it: `mirror+file:` lists, which cloud images use, are read here."""
    scheme, _, rest = uri.partition(":")
    if scheme == "mirror+file":
        listed = Path("/" + rest.lstrip("/"))
        lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
        return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]
    return [uri] if scheme in ("http", "https", "file", "copy", "ftp", "tor+http", "tor+https") else []


class Mirror(NamedTuple):
    """An address of Debian's archive, and the keyring files that may sign it, comma-separated."""

    address: str
    keyrings: str


def debian_mirrors(apt: Path = APT) -> list[Mirror]:
    """The mirrors of Debian's archive, the likeliest first: RUNCODE_DEBIAN_MIRROR alone if it is set, else those that
    apt reads a suite of Debian's own from. Other publishers use the same suite names, so sources whose address ends
    in /debian or that name Debian's keyring come first; a wrong one fails at its signature."""
    if named := os.environ.get("RUNCODE_DEBIAN_MIRROR"):
        return [Mirror(named.rstrip("/"), str(KEYRING))]
    found = [s for s in read_sources(apt) if s.suite in DEBIAN_SUITES and "main" in s.components]
    found.sort(key=lambda s: (not s.uri.rstrip("/").endswith("/debian"), "debian-archive" not in s.signed_by))
    mirrors: dict[str, Mirror] = {}
    for source in found:
        # A mirror of the house may be signed by a key of the house, which apt then names.
        own = [source.signed_by] if source.signed_by.startswith("/") and source.signed_by != str(KEYRING) else []
        for address in _addresses(source.uri):
            mirrors.setdefault(address.rstrip("/"), Mirror(address.rstrip("/"), ",".join([str(KEYRING), *own])))
    return list(mirrors.values())


def transport_options() -> list[str]:
    """How the host's apt reaches its mirrors (proxies, certificates, timeouts), as `Name "value"` settings.
    mmdebstrap gives the new system a configuration of its own, which would know none of them."""
    try:
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    wanted = re.compile(r'^(Acquire::(?:http|https|Retries)(?:::[\w.:-]+)? "[^"]+");$', re.M)
    return [option for option in wanted.findall(dump) if not option.split()[0].endswith("::")]

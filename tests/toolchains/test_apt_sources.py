"""Where Debian's packages come from on this host: both notations of apt's sources."""

from pathlib import Path

import pytest

from execution.toolchains import apt_sources
from execution.toolchains.apt_sources import KEYRING, AptSource, Mirror


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RUNCODE_DEBIAN_MIRROR", raising=False)
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_one_line_sources_are_read(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "# deb http://commented.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian/ bookworm main contrib # a note\n"
        "deb-src http://a.example/debian bookworm main\n"
        "deb http://b.example/debian-security bookworm-security main\n"
    )

    assert apt_sources.read_sources(apt) == [
        AptSource("http://a.example/debian/", "bookworm", ("main", "contrib"), "/k.gpg"),
        AptSource("http://b.example/debian-security", "bookworm-security", ("main",)),
    ]


def test_deb822_sources_are_read(apt: Path) -> None:
    (apt / "sources.list.d" / "debian.sources").write_text(
        "# from the installer\nTypes: deb deb-src\nURIs: http://a.example/debian http://b.example/debian\n"
        "Suites: bookworm\n bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\n"
        "Types: deb-src\nURIs: http://c.example/debian\nSuites: sid\nComponents: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://d.example/debian\nSuites: sid\nComponents: main\n"
    )

    assert [(s.uri[7], s.suite) for s in apt_sources.read_sources(apt)] == [
        ("a", "bookworm"),
        ("a", "bookworm-updates"),
        ("b", "bookworm"),
        ("b", "bookworm-updates"),
    ]


def test_files_of_other_kinds_are_not_sources(apt: Path) -> None:
    (apt / "sources.list.d" / "old.list.save").write_text("deb http://a.example/debian sid main\n")

    assert apt_sources.read_sources(apt) == []


def test_debians_own_archive_comes_before_others_with_its_suite_names(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "deb http://tools.example/apt bookworm main\n"
        "deb http://node.example/x nodistro main\n"
        "deb http://a.example/debian bookworm main\n"
        "deb http://a.example/debian bookworm-updates main\n"
    )

    assert apt_sources.debian_mirrors(apt) == [
        Mirror("http://a.example/debian", str(KEYRING)),
        Mirror("http://tools.example/apt", str(KEYRING)),
    ]


def test_a_mirror_of_the_house_may_be_signed_by_its_own_key(apt: Path) -> None:
    (apt / "sources.list").write_text("deb [signed-by=/house.gpg] https://house.example/debian sid main\n")

    assert apt_sources.debian_mirrors(apt) == [Mirror("https://house.example/debian", f"{KEYRING},/house.gpg")]


def test_a_mirror_list_in_a_file_is_followed(apt: Path) -> None:
    (apt / "mirrors").write_text("# the cloud's\nhttps://cloud.example/debian\tpriority:1\n")
    (apt / "sources.list").write_text(f"deb mirror+file://{apt}/mirrors bookworm main\ndeb cdrom:[x]/ bookworm main\n")

    assert [mirror.address for mirror in apt_sources.debian_mirrors(apt)] == ["https://cloud.example/debian"]


def test_the_setting_names_the_only_mirror(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNCODE_DEBIAN_MIRROR", "http://own.example/debian/")
    (apt / "sources.list").write_text("deb http://a.example/debian bookworm main\n")

    assert apt_sources.debian_mirrors(apt) == [Mirror("http://own.example/debian", str(KEYRING))]


def test_proxies_of_the_hosts_apt_are_taken_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "apt.conf"
    config.write_text('Acquire::http::Proxy "http://proxy.example:3128";\nAPT::Get::Assume-Yes "true";\n')
    monkeypatch.setenv("APT_CONFIG", str(config))

    assert 'Acquire::http::Proxy "http://proxy.example:3128"' in apt_sources.transport_options()
    assert not [option for option in apt_sources.transport_options() if option.startswith("APT::")]

"""The catalogue: the identifiers that clients know, and which of them can run here."""

import json
from pathlib import Path

import pytest

from execution import catalogue
from execution.catalogue import COMPILERS, TOOLCHAINS, TOOLS, Manifest, installed, installed_tools, manifests_dir

# The public contract: other people's clients send these.
IDS = (
    "python-3.14 gcc-15 g++-15 openjdk-25 dotnet-csharp-9 dotnet-fsharp-9 php-8.5 ruby-4.0 haskell-9.12 go-1.26 "
    "rust-1.93 typescript-deno"
).split()
FURTHER_IDS = ["node", "bun", "lua-5.4", "perl-5.42", "r-4.6", "sqlite-3"]


def _install(home: Path, root: Path, id_: str = "python-3.14", **changes: object) -> Path:
    compiler = TOOLCHAINS[id_]
    fields = json.loads(Manifest.of(compiler, root=root, version="3.14.1", stand_in=False).to_json()) | changes
    directory = manifests_dir(home)
    directory.mkdir(parents=True, exist_ok=True)
    # As the installer does it: written elsewhere, then renamed.
    temporary = directory / f".{id_}"
    temporary.write_text(json.dumps(fields), encoding="utf-8")
    return temporary.rename(directory / f"{id_}.json")


def test_all_are_there_in_their_order() -> None:
    assert list(COMPILERS) == IDS + FURTHER_IDS


def test_tools_are_installed_like_compilers_and_are_none() -> None:
    assert list(TOOLS) == ["code-tools"]
    assert {**COMPILERS, **TOOLS} == TOOLCHAINS
    assert not COMPILERS.keys() & TOOLS.keys()


@pytest.mark.parametrize("id_", IDS + FURTHER_IDS)
def test_an_entry_is_complete(id_: str) -> None:
    compiler = COMPILERS[id_]

    assert compiler.id == id_
    assert compiler.language
    assert compiler.name
    assert compiler.editor_mode
    assert "Hello, World!" in compiler.sample
    assert not compiler.sample.startswith("\n")
    assert compiler.sample.endswith("\n")
    assert "." in compiler.file_name


@pytest.mark.parametrize("compiler", [c for c in COMPILERS.values() if c.commands], ids=lambda c: c.id)
def test_commands_of_an_entry_fit_together(compiler: catalogue.Compiler) -> None:
    commands = compiler.commands
    assert commands is not None
    assert all(argv[0].startswith("/") for argv in (commands.run, commands.version.command))
    assert any(Path(compiler.file_name).match(glob) for glob in commands.sources)
    if commands.compile:
        assert "{sources}" in commands.compile or "{entrypoint}" in commands.compile
        assert commands.compile[0].startswith("/")
    else:
        assert any("{entrypoint}" in word for word in commands.run)
    assert "PATH" in commands.env


def test_nothing_is_installed_in_an_empty_home(tmp_path: Path) -> None:
    assert installed(tmp_path) == {}


def test_an_installed_compiler_is_there_with_what_its_manifest_says(tmp_path: Path) -> None:
    _install(tmp_path, tmp_path)

    manifest = installed(tmp_path)["python-3.14"]
    assert manifest.version == "3.14.1"
    assert manifest.run == ("/usr/bin/python3.14", "{entrypoint}")
    assert manifest.env["PYTHONUNBUFFERED"] == "1"


def test_an_installed_tool_is_no_compiler(tmp_path: Path) -> None:
    _install(tmp_path, tmp_path, "code-tools")

    assert installed(tmp_path) == {}
    assert list(installed_tools(tmp_path)) == ["code-tools"]


def test_a_change_is_seen_at_once_and_nothing_is_read_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_SETTLED_NS", 0)
    _install(tmp_path, tmp_path)
    first = installed(tmp_path)["python-3.14"]
    assert installed(tmp_path)["python-3.14"] is first

    _install(tmp_path, tmp_path, version="3.14.2")
    assert installed(tmp_path)["python-3.14"].version == "3.14.2"


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(tmp_path: Path) -> None:
    for number in range(20):
        _install(tmp_path, tmp_path, version=str(number))
        assert installed(tmp_path)["python-3.14"].version == str(number)


def test_a_manifest_without_its_root_is_not_offered(tmp_path: Path) -> None:
    _install(tmp_path, tmp_path / "gone")

    assert installed(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id": "python-3.14", "sources": 3}', "\xff"])
def test_a_broken_manifest_is_not_offered(tmp_path: Path, text: str) -> None:
    _install(tmp_path, tmp_path, "gcc-15")
    (manifests_dir(tmp_path) / "python-3.14.json").write_text(text, encoding="latin-1")

    assert set(installed(tmp_path)) == {"gcc-15"}


def test_stand_ins_are_left_out_where_the_setting_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, tmp_path, stand_in=True)
    assert installed(tmp_path)["python-3.14"].stand_in

    monkeypatch.setenv("RUNCODE_STAND_INS", "false")
    assert installed(tmp_path) == {}

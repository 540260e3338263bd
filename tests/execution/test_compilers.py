"""GET /api/compilers/: what can run here, and nothing else."""

import json

import pytest

from execution.catalogue import COMPILERS

FIELDS = {
    "id",
    "language",
    "name",
    "version",
    "stand_in",
    "available",
    "file_name",
    "editor_mode",
    "sample",
    "stateful",
}


async def listed(api) -> dict[str, dict]:
    response = await api.request("GET", "/api/compilers/", key="")
    assert response.status_code == 200
    return {entry["id"]: entry for entry in response.json()}


async def test_it_lists_the_catalogue_without_a_key(api):
    entries = await listed(api)
    assert list(entries) == list(COMPILERS)
    assert all(entry.keys() == FIELDS for entry in entries.values())


async def test_what_is_available_runs_its_sample_and_is_the_version_it_says(api):
    entries = await listed(api)
    available = [entry for entry in entries.values() if entry["available"]]
    assert {"python-3.14", "gcc-15", "g++-15"} <= {entry["id"] for entry in available}
    for entry in available:
        result = await api.run(entry["sample"], entry["id"])
        assert result["output"].strip() == "Hello, World!", entry["id"]
    code = "import platform\nprint(platform.python_version())"
    assert (await api.run(code))["output"].strip() == entries["python-3.14"]["version"]


async def test_what_is_not_installed_has_no_version_and_cannot_run(api):
    entries = await listed(api)
    for entry in entries.values():
        if not entry["available"]:
            assert (entry["version"], entry["stand_in"]) == (None, False)
            response = await api.post({"compiler": entry["id"], "code": entry["sample"]})
            assert (response.status_code, response.json()["code"]) == (503, "toolchain_unavailable")


async def test_a_toolchain_that_is_removed_is_told_at_once(api, settings, tmp_path):
    compilers = tmp_path / "toolchains" / "compilers"
    compilers.mkdir(parents=True)
    installed = settings.RUNCODE_HOME / "toolchains" / "compilers" / "python-3.14.json"
    manifest = json.loads(installed.read_text())
    (compilers / "python-3.14.json").write_text(json.dumps({**manifest, "version": "3.14.99"}))
    settings.RUNCODE_HOME = tmp_path
    entries = await listed(api)
    assert [entry["id"] for entry in entries.values() if entry["available"]] == ["python-3.14"]
    assert entries["python-3.14"]["version"] == "3.14.99"
    (compilers / "python-3.14.json").unlink()
    assert not any(entry["available"] for entry in (await listed(api)).values())


@pytest.mark.parametrize("path", ["/api/compilers", "/api/compilers/"])
async def test_it_answers_with_and_without_the_final_slash(api, path):
    assert (await api.request("GET", path, key="")).status_code == 200


async def test_it_only_reads(api):
    response = await api.request("POST", "/api/compilers/", json={})
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    head = await api.request("HEAD", "/api/compilers/")
    assert (head.status_code, head.headers["Content-Type"]) == (200, "application/json")

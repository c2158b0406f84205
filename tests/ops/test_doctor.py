"""What the doctor finds in installations that are not sound."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from barstep.kernels import _jit
from barstep.ops import doctor


def _check(name: str) -> doctor.Check:
    (found,) = [check for check in doctor.examine() if check.name == name]
    return found


def test_a_missing_package_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is needed and missing is named with the command that installs it."""
    version = metadata.version

    def without_polars(name: str) -> str:
        if name == "polars":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", without_polars)
    found = _check("polars")
    assert (found.status, found.found) == ("fail", "missing")
    assert found.advice.startswith("pip install 'polars>=")


def test_extras_are_not_needed() -> None:
    """What only developers need is not looked for."""
    assert "hypothesis" not in {check.name for check in doctor.examine()}


def test_an_unkept_cache_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that dies with the process costs time and is told."""
    monkeypatch.setattr(_jit, "CACHE_IS_KEPT", False)
    found = _check("cache")
    assert found.status == "warn"
    assert "BARSTEP_CACHE_DIR" in found.advice


def test_an_empty_cache_warns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before the first compilation the advice is to warm up."""
    monkeypatch.setattr(_jit, "CACHE_FOLDER", tmp_path)
    assert (_check("cache").status, _check("cache").advice) == ("warn", "barstep warmup")


@pytest.mark.parametrize(("setting", "text"), [("DISABLE_JIT", "plain Python"), ("BOUNDSCHECK", "every index")])
def test_a_slowed_compiler_warns(monkeypatch: pytest.MonkeyPatch, setting: str, text: str) -> None:
    """Settings that make kernels slow are told."""
    monkeypatch.setattr(_jit.numba_config, setting, 1)
    found = _check("compiler")
    assert found.status == "warn"
    assert text in found.found


def test_a_damaged_dataset_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Embedded datasets that cannot be read, or are not there, fail with the command that makes them."""
    monkeypatch.setattr(doctor, "EMBEDDED_FOLDER", tmp_path)
    assert _check("embedded datasets").status == "fail"
    (tmp_path / "binance_BTCUSDT_1h.parquet").write_bytes(b"no parquet")
    found = _check("embedded datasets")
    assert found.status == "fail"
    assert found.advice.startswith("barstep data generate --preset embedded")


def test_the_environment_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that were made outside are listed; those that barstep makes are not."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    found = _check("environment").found
    assert "NUMBA_NUM_THREADS=1" in found
    assert "NUMBA_SLP_VECTORIZE" not in found


def test_a_configuration_that_is_refused_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file that commands would read from here is looked into; without one it is the one that comes with barstep."""
    monkeypatch.chdir(tmp_path)
    assert _check("configuration").status == "ok"
    (tmp_path / "config").mkdir()
    path = tmp_path / "config" / "core.yaml"
    path.write_text("a: 1\nb: 2\n")
    found = _check("configuration")
    assert (found.status, found.found) == ("fail", "config/core.yaml: 2 errors")
    assert found.advice == "barstep config validate config/core.yaml"
    path.write_bytes(b"\xff")
    assert _check("configuration").found == "config/core.yaml: 1 error"

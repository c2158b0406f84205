"""`barstep bundle` and `barstep verify-signature`: made, checked by anybody, unpacked, and told what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED

Run = Callable[..., Any]
ENGINE = Path(__file__).resolve().parents[2] / "docs/examples/donchian.py"
STEM = "stage4_strategies/strategy_bundle/stage4-strategies-2024.06"


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small configuration, an engine file of one's own, and something to deploy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STAGE4_STRATEGY_BUNDLE_VERSION", raising=False)
    (tmp_path / "config").mkdir()
    text = PACKAGED.read_text().replace(
        "\nstrategies:\n", "\nengine_files: [own.py]\nstrategies:\n  own: {engine: donchian}\n"
    )
    (tmp_path / "config/core.yaml").write_text(text)
    (tmp_path / "own.py").write_bytes(ENGINE.read_bytes())
    for name in (
        "prometheus/rules/r.yml", "grafana/provisioning/dashboards/d.json", "grafana/provisioning/dashboards/p.yml",
        "grafana/provisioning/datasources/secret.yml", "alertmanager/alertmanager.yml", "prometheus/prometheus.yml",
    ):  # fmt: skip
        (tmp_path / "deploy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "deploy" / name).write_text("{}\n")
    return tmp_path


def test_strategies_are_bundled_with_their_engines(
    barstep: Run, monkeypatch: pytest.MonkeyPatch, working_folder: Path
) -> None:
    """Parameters with defaults, the user's own source, licence and digests; the version comes from CI's variable."""
    monkeypatch.setenv("STAGE4_STRATEGY_BUNDLE_VERSION", "2024.06")
    made = barstep("bundle", "strategies", "--json")
    assert made.code == 0, made.err
    assert "made for the demonstration: secrets/stage4_strategies_signing.key" in made.err
    document = json.loads(made.out)
    assert document["files"]["archive"] == f"{STEM}.zip"
    paths = [one["path"] for one in document["manifest"]["members"]]
    assert paths == ["engines/files/own.py", "licence.json", "strategies.json", "strategies.yaml"]
    assert len(document["manifest"]["provenance"]["config_sha384"]) == 96
    assert str(working_folder) not in Path(f"{STEM}.manifest.json").read_text()
    unpacked = barstep("bundle", "unpack", f"{STEM}.zip", "--output-dir", "out")
    assert unpacked.code == 0 and "4 members" in unpacked.out
    own = json.loads(Path("out/strategies.json").read_text())["strategies"]["own"]
    assert own["source"] == "engines/files/own.py" and own["parameters"]
    assert Path("out/engines/files/own.py").read_bytes() == ENGINE.read_bytes()
    monkeypatch.chdir("out")
    assert barstep("config", "validate", "strategies.yaml").code == 0
    assert str(working_folder) not in Path("strategies.yaml").read_text()


def test_observability_is_bundled_and_verified(barstep: Run) -> None:
    """Rules and dashboards, nothing that says whom to call; from its archive or its manifest."""
    words = ("bundle", "observability", "--version", "77", "--output-dir", "out")
    made = barstep(
        *words, "--key-id", "stage4-observability", "--signing-key", "secrets/stage4_observability_signing.key"
    )
    assert made.code == 0 and "secrets/stage4_observability_signing.key" in made.err
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "manifest.json", "manifest.sig", "observability-bundle-77.tar.gz",
    ]  # fmt: skip
    members = [one["path"] for one in json.loads(Path("out/manifest.json").read_text())["members"]]
    assert members == [
        "grafana/provisioning/dashboards/d.json", "grafana/provisioning/dashboards/p.yml", "prometheus/rules/r.yml",
    ]  # fmt: skip
    for name in ("observability-bundle-77.tar.gz", "manifest.json"):
        ran = barstep("verify-signature", f"out/{name}")
        assert ran.code == 0 and "PASS: HMAC-SHA384" in ran.out
    document = json.loads(barstep("verify-signature", "out/manifest.json", "--json").out)
    assert (document["ok"], document["manifest"]["version"]) == (True, "77")
    assert barstep(*words).code == 0
    Path("deploy/prometheus/rules/r.yml").write_text("other")
    assert "--overwrite" in barstep(*words).err
    assert barstep(*words, "--overwrite").code == 0


def test_each_fault_is_told_apart_with_exit_5(barstep: Run) -> None:
    """Edited archive, edited manifest, no signature, another key; a bundle that is not believed is not unpacked."""
    assert barstep("bundle", "observability", "--version", "1", "--output-dir", "out").code == 0
    archive, manifest, signature = (
        Path("out/observability-bundle-1.tar.gz"),
        Path("out/manifest.json"),
        Path("out/manifest.sig"),
    )
    good = {path: path.read_bytes() for path in (archive, manifest, signature)}
    assert barstep("bundle", "key", "secrets/other.key").code == 0

    def verdict(*words: object) -> str:
        ran = barstep("verify-signature", archive, "--json", *words)
        assert ran.code == 5
        assert barstep("bundle", "unpack", archive, "--output-dir", "u", *words).code == 5
        assert not Path("u").exists()
        for path, data in good.items():
            path.write_bytes(data)
        return str(json.loads(ran.out)["verdict"])

    archive.write_bytes(good[archive] + b"x")
    assert verdict() == "EDITED ARCHIVE"
    manifest.write_bytes(good[manifest].replace(b"observability-bundle-1", b"observability-bundle-2"))
    assert verdict() == "EDITED MANIFEST"
    signature.unlink()
    assert verdict() == "MISSING FILES"
    assert verdict("--signing-key", "secrets/other.key") == "WRONG KEY"
    assert verdict("--key-id", "another") == "WRONG KEY"
    assert barstep("verify-signature", "absent.zip").code == 3
    assert barstep("verify-signature", archive, "--signing-key", "a", "--public-key", "b").code == 2
    assert barstep("verify-signature", archive).code == 0


def test_a_pair_is_checked_with_its_public_half(barstep: Run) -> None:
    """Under a name of its own, whose file has to be given."""
    made = barstep("bundle", "key", "secrets/oem.key", "--ed25519")
    assert made.code == 0 and "secrets/oem.key.pub" in made.out
    words = ("--version", "1", "--output-dir", "out", "--signing-key", "secrets/oem.key", "--key-id", "oem")
    assert barstep("bundle", "observability", *words).code == 0
    ran = barstep("verify-signature", "out/manifest.json", "--public-key", "secrets/oem.key.pub", "--key-id", "oem")
    assert ran.code == 0 and "PASS: Ed25519" in ran.out
    unnamed = barstep("verify-signature", "out/manifest.json")
    assert unnamed.code == 2 and "is of key 'oem'; name its file" in unnamed.err


def test_only_a_demonstration_makes_its_key(barstep: Run) -> None:
    """And only the default one; paper and live are told the command. A version is needed, and names no path."""
    words = ("bundle", "observability", "--version", "1", "--output-dir", "out")
    paper = barstep(*words, "--environment", "binance_paper")
    assert paper.code == 3 and "`barstep bundle key secrets/stage4_observability_signing.key` makes it" in paper.err
    assert barstep(*words, "--signing-key", "secrets/absent.key").code == 3
    assert not Path("secrets").exists()
    assert barstep("bundle", "strategies").code == 2
    assert "--version" in barstep("bundle", "observability", "--version", "../1").err
    for path in Path("deploy/grafana/provisioning/dashboards").glob("*.json"):
        path.unlink()
    empty = barstep(*words)
    assert empty.code == 2 and "holds no Grafana dashboards" in empty.err

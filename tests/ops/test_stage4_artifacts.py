"""What stage 4 leaves behind: rules, bundles, coverage."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.ops.bundles.making import BundleFiles, make_bundle
from barstep.ops.bundles.signing_keys import required_signing_key
from barstep.ops.stage4_artifacts import look_at_bundles, look_at_coverage, look_at_rules

RULES = """
groups:
  - name: core
    rules:
      - {alert: NoSignals, expr: "up == 0", labels: {alert_type: no_signals, severity: critical}}
      - {record: a:b, expr: "1"}
"""


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rules_are_there_and_can_be_routed() -> None:
    """Missing, broken, empty, or an alert that says not what it is about: each an issue."""
    path = Path("rules.yml")
    assert look_at_rules(path).findings[0].text == "no such file."
    path.write_text(RULES)
    looked = look_at_rules(path)
    assert (looked.values["state"], looked.values["alerts"], looked.findings) == ("ok", 1, ())
    path.write_text(RULES.replace("alert_type: no_signals, ", ""))
    (found,) = look_at_rules(path).findings
    assert found.text == "alert 'NoSignals' has no label alert_type: nobody can route it."
    for broken in ("groups: []", "- a", "groups: 3", "groups: [{rules: 3}]", ""):
        path.write_text(broken)
        assert [one.severity for one in look_at_rules(path).findings] == ["issue"], broken
    path.write_text("groups: [")
    assert look_at_rules(path).values["state"] == "fail"


def make(folder: str = "var/bundles") -> BundleFiles:
    key, _ = required_signing_key(None, "observability", lambda: True)
    return make_bundle(
        "observability", "1", {"a": b"1"}, key=key, key_id="stage4-observability", provenance={}, folder=Path(folder)
    )


def test_bundles_are_verified() -> None:
    """Those in the folders or named; none is a warning, an edited one and one without its key are issues."""
    folders = [Path("var/bundles"), Path("absent")]
    (none,) = look_at_bundles([], folders).findings
    assert (none.severity, none.where) == ("warning", "var/bundles, absent")
    files = make()
    looked = look_at_bundles([], folders)
    assert not looked.findings and looked.values["observability-bundle-1.tar.gz"]["verdict"] == "OK"
    files.archive.write_bytes(files.archive.read_bytes() + b"x")
    looked = look_at_bundles([files.archive], [])
    assert looked.values["observability-bundle-1.tar.gz"]["verdict"] == "EDITED ARCHIVE"
    assert [one.severity for one in looked.findings] == ["issue"]
    Path("secrets/stage4_observability_signing.key").unlink()
    (found,) = look_at_bundles([], folders).findings
    assert "no such key" in found.text and "--signing-key" in found.mend
    assert look_at_bundles([Path("absent.zip")], []).findings[0].text == "no such file."


def lines(hits: str) -> str:
    return "".join(f'<line hits="{hit}"/>' for hit in hits)


def xml(engine: str, kernels: str, other: str) -> str:
    rooms = (("engine", engine), ("kernels/engines", kernels), ("cli", other))
    classes = (f'<class filename="{name}/x.py"><lines>{lines(hits)}</lines></class>' for name, hits in rooms)
    return f"<coverage><packages><package><classes>{''.join(classes)}</classes></package></packages></coverage>"


def test_coverage_is_held_to_its_least() -> None:
    """85 % of all lines, 87 % of the engine's and of the kernels'; what is no report is told."""
    path = Path("coverage.xml")
    path.write_text(xml("1" * 90 + "0" * 10, "1" * 100, "1" * 80 + "0" * 20))
    looked = look_at_coverage(path)
    assert looked.values == {"overall_pct": 90.0, "engine_pct": 90.0, "kernels_pct": 100.0} and not looked.findings
    path.write_text(xml("1" * 86 + "0" * 14, "1" * 100, "0" * 100))
    texts = [one.text for one in look_at_coverage(path).findings]
    assert texts == [
        "62.0 % of overall is covered; at least 85 % is asked for.",
        "86.0 % of engine is covered; at least 87 % is asked for.",
    ]
    path.write_text("<coverage/>")
    assert len(look_at_coverage(path).findings) == 3
    for broken in ("", "<html/>", "no xml"):
        path.write_text(broken)
        assert [one.severity for one in look_at_coverage(path).findings] == ["issue"], broken
    assert look_at_coverage(Path("absent.xml")).findings[0].severity == "issue"

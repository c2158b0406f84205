"""Each planted fault turns exactly its step red; without one all steps pass."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import barstep as bs
import pytest
from barstep.data.dataset import DatasetInfo, write_dataset
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.ops.acceptance.running import STEPS, Step
from barstep.ops.acceptance.stage import Stage
from barstep.ops.bundles.keys import make_signing_key
from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import init_bundle
from barstep.replay.clock import SystemClock
from barstep.replay.journal.files import JournalFiles
from barstep.replay.journal.verification import verify
from barstep.replay.key_files import KeyFolder, keys_at_hand
from installation import MEASURED, ROOT, SCENARIOS, accepted, covered, endpoint, installation

FULLY = os.environ.get("SEEDS", "1") != "1"
YEAR_US = 365 * 86_400_000_000
Planted = Callable[[Path], dict[str, Any]]
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and os.environ.get("BARSTEP_STRICT") != "1", reason="promtool is not installed"
)


@dataclass(frozen=True)
class Fault:
    """What is planted, and what must come of it.

    plant: puts it there, and gives what is asked besides.
    red: the step that fails.
    words: what it says.
    tried: slow steps that are really run.
    telemetry: what an endpoint answers; None: no endpoint is asked.
    """

    plant: Planted
    red: str
    words: str
    tried: tuple[str, ...] = ()
    steps: tuple[Step, ...] = STEPS
    telemetry: str | None = None
    marks: tuple[pytest.MarkDecorator, ...] = field(default=())


def edited(path: Path, before: str, after: str) -> None:
    """Change a text in a file."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def weak_coverage(folder: Path) -> dict[str, Any]:
    """Kernels at 80 %."""
    return {"coverage": covered(folder, kernels=8)}


def broken_rule(folder: Path) -> dict[str, Any]:
    """An expression that is none."""
    edited(folder / "deploy/prometheus/rules/multi_strategy_rules.yml", "expr: ", "expr: sum(( ")
    return {}


def edited_journal(folder: Path) -> dict[str, Any]:
    """A record of a sealed segment says something else."""
    sealed = sorted((folder / "audit/decision_logs").glob("demo.0*.jsonl"))[0]
    edited(sealed, '"kind":"', '"kind":"x')
    return {}


def rolled_back_witness(folder: Path) -> dict[str, Any]:
    """The witness has seen more than there is."""
    witness = folder / "var/audit/witness/demo.json"
    head = json.loads(witness.read_text())
    witness.write_text(json.dumps({**head, "seq": head["seq"] + 1_000}, separators=(",", ":")) + "\n")
    return {}


def wrong_signing_key(folder: Path) -> dict[str, Any]:
    """Somebody else's key under the known name."""
    path = folder / "secrets/other_signing.key"
    make_signing_key(path)
    return {"signing_keys": {"stage4-strategies": path}}


def expired_certificate(folder: Path) -> dict[str, Any]:
    """A bundle of certificates of eleven years ago."""
    shutil.rmtree(folder / "secrets/mtls/core-oem")
    bundle = BundleFolder(folder / "secrets/mtls", "core-oem")
    init_bundle(bundle, host="localhost", client="core-oem", now_us=SystemClock().now_us() - 11 * YEAR_US)
    return {}


def missing_token(folder: Path) -> dict[str, Any]:
    """The configuration knows a token's digest, and nobody here has the token."""
    edited(folder / "config/core.yaml", "env: CORE_SCHEDULER_TOKEN", f"sha384: {'ab' * 48}")
    return {}


def breached_resources(folder: Path) -> dict[str, Any]:
    """A megabyte is not enough."""
    edited(folder / "config/core.yaml", "memory_mb: 2048", "memory_mb: 1")
    return {}


def risk_breach(folder: Path) -> dict[str, Any]:
    """Prices fall by 80 %."""
    (folder / "scenarios.yaml").write_text(SCENARIOS.replace("-20", "-80"))
    return {}


def other_threshold(folder: Path) -> dict[str, Any]:
    """A panel of Grafana turns red later than the profile says."""
    path = folder / "deploy/grafana/provisioning/dashboards/stage4_multi_strategy.json"
    shown = json.loads(path.read_text())
    shown["panels"][0]["description"] = "another one"
    path.write_text(json.dumps(shown))
    return {}


def stale_bars(folder: Path) -> dict[str, Any]:
    """One instrument's bars end two days before the others', on both venues."""
    (folder / "bars").mkdir()
    for path in EMBEDDED_FOLDER.glob("*_1h.parquet"):
        if "SOL" not in path.name:
            shutil.copy(path, folder / "bars")
            continue
        bars = bs.load(path)
        info = DatasetInfo(symbol=bars.symbol, venue=bars.venue, interval_seconds=bars.interval_seconds)
        write_dataset(bars.part(0, len(bars) - 48).to_frame(), info, folder / "bars" / path.name)
    edited(folder / "config/core.yaml", "feed: embedded", "feed: bars")
    return {}


def tampering(stage: Stage) -> str:
    """Change a byte of an archive that is signed already."""
    path = next(stage.smoke_folder.glob("*.tar.gz"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return "done"


def nothing(_: Path) -> dict[str, Any]:
    """Plant nothing else."""
    return {}


BEFORE_SIGNATURES = [step.name for step in STEPS].index("signatures")
TAMPERED = (
    *STEPS[:BEFORE_SIGNATURES],
    Step(name="tampering", title="somebody edits a bundle", run=tampering),
    *STEPS[BEFORE_SIGNATURES:],
)

FAULTS = {
    "weak coverage": Fault(weak_coverage, "tests", "80.0 % of kernels is covered"),
    "no coverage report": Fault(lambda _: {"coverage": Path("none.xml")}, "tests", "no such coverage report"),
    "broken rule": Fault(broken_rule, "rules", "promtool check rules", ("rules",), marks=(needs_promtool,)),
    "edited journal": Fault(edited_journal, "journal", "EDITED"),
    "journal rolled back": Fault(rolled_back_witness, "journal", "ROLLED BACK"),
    "wrong signing key": Fault(wrong_signing_key, "signatures", "WRONG KEY"),
    "edited bundle": Fault(nothing, "signatures", "EDITED ARCHIVE", steps=TAMPERED),
    "expired certificate": Fault(expired_certificate, "compliance", "expired"),
    "missing token": Fault(missing_token, "secrets", "no token is presented"),
    "breached resource limit": Fault(breached_resources, "load", "memory_mb breach", ("load",)),
    "telemetry beyond its bound": Fault(
        nothing, "telemetry", "avg_abs_zscore 7", ("telemetry",), telemetry=MEASURED.replace("} 1.5", "} 7")
    ),
    "risk breach": Fault(risk_breach, "risk", "max_drawdown_pct is 15", ("risk",)),
    "smoke on stale bars": Fault(stale_bars, "smoke", "bars of SOLUSDT are stale", ("smoke",)),
    "dashboard with another threshold": Fault(other_threshold, "dashboards", "make dashboards"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that was accepted once, every step of it run."""
    folder = tmp_path_factory.mktemp("sound")
    installation(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        with endpoint(MEASURED) as url:  # a replay takes longer; the full thing has one
            report = accepted(folder, "T1", plain=True, metrics_url=None if FULLY else url)
    finally:
        os.chdir(before)
    (folder / "report.json").write_text(json.dumps(report.to_dict()))
    return folder


@pytest.fixture
def here(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    folder = tmp_path / "here"
    shutil.copytree(sound, folder, copy_function=shutil.copy2)
    monkeypatch.chdir(folder)
    return folder


def test_a_sound_installation_is_accepted(sound: Path) -> None:
    """Every step passes, the rules' one too where promtool is; everything that the runbook asks for is there."""
    steps = {step["step"]: step["status"] for step in json.loads((sound / "report.json").read_text())["steps"]}
    if shutil.which("promtool") is None:
        assert steps.pop("rules") == "SKIP"
    assert set(steps.values()) == {"PASS"}, steps
    archive = sound / "var/audit/acceptance/T1"
    there = {path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file()}
    smoke = {
        "smoke_report.json", "risk_simulation/risk_simulation_report.json", "load_test.json", "metadata.json",
        "risk_simulation/risk_simulation_report.pdf", "compliance.json", "coverage.xml", "configuration.json",
        "stage4-strategies-r1.zip", "stage4-strategies-r1.manifest.json", "stage4-strategies-r1.manifest.sig",
        "observability-bundle-r1.tar.gz", "manifest.json", "manifest.sig", "journal_head.json",
    }  # fmt: skip
    assert there == {"headers_report.json", *(f"stage4_smoke/{name}" for name in smoke)}


def test_the_journal_says_so_and_verifies(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two records of category `stage4_smoke`, the last one approved, and the witness has seen it."""
    monkeypatch.chdir(sound)
    files = JournalFiles(folder=Path("audit/decision_logs"), environment="demo")
    found = verify(
        files, keys_at_hand(KeyFolder(Path("secrets/journal/demo")), []), witness=Path("var/audit/witness/demo.json")
    )
    assert found.is_good(strict=True)
    assert found.witness_seq == found.last_seq
    records = [json.loads(line) for line in files.open_segment.read_text().splitlines()]
    mine = [record for record in records if record.get("category") == "stage4_smoke"]
    assert [record["status"] for record in mine] == [None, "approved"]
    assert "all steps pass" in mine[-1]["message"]


@pytest.mark.parametrize("name", [pytest.param(name, marks=fault.marks) for name, fault in FAULTS.items()])
def test_a_fault_turns_exactly_its_step_red(here: Path, name: str) -> None:
    """That step fails and says why; no other one does."""
    fault = FAULTS[name]
    asked = fault.plant(here)
    if fault.telemetry is None:
        report = accepted(here, "T2", tried=fault.tried, plain=FULLY, steps=fault.steps, **asked)
    else:
        with endpoint(fault.telemetry) as url:
            report = accepted(here, "T2", tried=fault.tried, plain=FULLY, metrics_url=url, **asked)
    told = {one.step: one for one in report.outcomes}
    assert report.failed == (fault.red,), {one.step: one.text for one in report.outcomes if one.status != "PASS"}
    assert fault.words in told[fault.red].text


def test_a_refused_configuration_stops_what_needs_it(here: Path) -> None:
    """Its step fails; what cannot run without it is skipped; tests and rules are tried all the same."""
    edited(here / "config/core.yaml", "cpu_pct: 100", "cpu_pc: 100")
    report = accepted(here, "T2")
    statuses = {one.step: one.status for one in report.outcomes}
    assert report.failed == ("configuration",)
    assert {name for name, status in statuses.items() if status == "PASS"} == {"tests", "rules"}


def test_what_cannot_run_is_skipped_and_fails_when_strict(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No clone's tests here, and no promtool."""
    monkeypatch.setenv("PATH", "")
    for strict, status in ((False, "SKIP"), (True, "FAIL")):
        report = accepted(here, f"T{status}", tried=("rules",), strict=strict, coverage=None)
        told = {one.step: one for one in report.outcomes}
        assert (told["tests"].status, told["rules"].status) == (status, status)
        assert "no clone" in told["tests"].text
        assert "promtool is not installed" in told["rules"].text


def test_telemetry_within_its_bounds_passes(here: Path) -> None:
    """The same endpoint without a fault."""
    with endpoint(MEASURED) as url:
        report = accepted(here, "T2", tried=("telemetry",), metrics_url=url)
    assert report.failed == ()


def test_a_clone_has_the_marked_tests() -> None:
    """The folders that the tests' step looks for are those of this repository."""
    assert (ROOT / "tests").is_dir()
    assert (ROOT / "kernels").is_dir()

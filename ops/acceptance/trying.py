"""Steps that try the scheduler: smoke test, risk simulation, load test."""

from __future__ import annotations

from ...engine.risk.simulation import risk_simulation
from ..load_test import Load, load_test
from ..smoke import smoke
from ..smoke_report import write_report
from .stage import FailedError, Stage

_CYCLES = 3


def run_smoke(stage: Stage) -> str:
    """Every schedule runs a few times over recorded bars, and gives what it must."""
    report = smoke(stage.core, environment=stage.environment, cycles=_CYCLES)
    write_report(report, stage.smoke_folder / "smoke_report.json")
    if report.issues:
        told = "; ".join(f"{one.schedule or 'the account'}: {one.text}" for one in report.issues)
        raise FailedError(told)
    return f"{len(report.schedules)} schedules, {_CYCLES} cycles, {len(report.warnings)} warnings"


def simulate_risk(stage: Stage) -> str:
    """Every risk profile keeps its limits under stress and in resampled markets."""
    asked = stage.asked
    found = risk_simulation(stage.core, environment=stage.environment, scenarios=asked.scenarios, paths=asked.paths)
    found.save(stage.smoke_folder / "risk_simulation")
    if found.breach:
        raise FailedError("breach: " + "; ".join(one.words for one in found.breaches))
    return f"no breach of {', '.join(one.name for one in found.profiles)}; {found.paths:,} paths, seed {found.seed}"


def try_load(stage: Stage) -> str:
    """The scheduler under load stays within the limits of resources."""
    report = load_test(
        stage.core, Load(iterations=stage.asked.iterations), stage.smoke_folder, environment=stage.environment
    )
    report.write(stage.smoke_folder / "load_test.json")
    status = report.resources.status
    if status != "ok":
        told = ", ".join(f"{name} {one}" for name, one in report.resources.statuses.items() if one != "ok")
        raise FailedError(f"resource_status: {status} ({told})")
    return f"resource_status: ok; {report.latency_ms['p99']:.2f} ms at the 99th percentile"

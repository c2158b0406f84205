"""A working folder in which stage 4 is accepted in seconds: tiny settings, and earlier outcomes of slow steps."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from barstep.config.reading import PACKAGED
from barstep.ops.acceptance.running import STEPS, AcceptanceReport, Step, run_acceptance
from barstep.ops.acceptance.stage import Asked
from barstep.replay.clock import SystemClock

ROOT = Path(__file__).resolve().parents[3]
SLOW = ("rules", "smoke", "telemetry", "risk", "load")
SCENARIOS = """
lead: 1d
watch: 1d
moments: 1
tolerated: {max_drawdown_pct: 100, daily_risk_budget_pct: 100, max_position_pct: 100, max_leverage: 100}
scenarios:
  gap: {kind: price_gap, gap_pct: -20}
"""
MEASURED = """\
barstep_telemetry_bound{environment="demo",scheduler="core_multi",risk_profile="balanced",metric="avg_abs_zscore",level="warn"} 3
barstep_telemetry_bound{environment="demo",scheduler="core_multi",risk_profile="balanced",metric="avg_abs_zscore",level="fail"} 5
barstep_telemetry_bound{environment="demo",scheduler="core_multi",risk_profile="balanced",metric="allocation_error_pct",level="warn"} 10
barstep_telemetry_bound{environment="demo",scheduler="core_multi",risk_profile="balanced",metric="allocation_error_pct",level="fail"} 25
barstep_telemetry_bound{environment="demo",scheduler="core_multi",risk_profile="balanced",metric="spread_capture_bps",level="warn"} 0
barstep_telemetry_bound{environment="demo",scheduler="core_multi",risk_profile="balanced",metric="spread_capture_bps",level="fail"} -10
barstep_avg_abs_zscore{environment="demo",scheduler="core_multi",schedule="a",strategy="s",risk_profile="balanced"} 1.5
barstep_allocation_error_pct{environment="demo",scheduler="core_multi",schedule="a",strategy="s",risk_profile="balanced"} 2
barstep_spread_capture_bps{environment="demo",scheduler="core_multi",schedule="a",strategy="s",risk_profile="balanced"} 3
"""  # noqa: E501 - as an endpoint answers


def covered(folder: Path, *, engine: int = 9, kernels: int = 9, other: int = 9) -> Path:
    """A coverage report in which so many of ten lines are covered."""
    hits = {"engine/a.py": engine, "kernels/a.py": kernels, "cli/a.py": other}
    classes = "".join(
        f'<class filename="{name}"><lines>'
        + "".join(f'<line number="{k}" hits="{int(k < count)}"/>' for k in range(10))
        + "</lines></class>"
        for name, count in hits.items()
    )
    path = folder / "given_coverage.xml"
    path.write_text(f"<coverage><packages><package><classes>{classes}</classes></package></packages></coverage>")
    return path


def installation(folder: Path) -> None:
    """The configuration, rules, dashboards and small scenarios."""
    (folder / "config").mkdir()
    (folder / "config/core.yaml").write_bytes(PACKAGED.read_bytes())
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    (folder / "scenarios.yaml").write_text(SCENARIOS)


def accepted(
    folder: Path,
    timestamp: str,
    *,
    tried: tuple[str, ...] = (),
    plain: bool = False,
    steps: tuple[Step, ...] = STEPS,
    **asked: Any,
) -> AcceptanceReport:
    """Accept the installation of the working folder.

    tried: slow steps that are run; the others give what they gave before. plain: all are run.
    """
    chosen = tuple(
        step if plain or step.name not in SLOW or step.name in tried else replace(step, run=lambda _: "as before")
        for step in steps
    )
    given: dict[str, Any] = {
        "config": Path("config/core.yaml"), "environment": "demo", "timestamp": timestamp, "run_id": "r1",
        "environ": {}, "scenarios": Path("scenarios.yaml"), "paths": 2, "iterations": 5,
    }  # fmt: skip
    if "coverage" not in asked:
        given["coverage"] = covered(folder)
    return run_acceptance(Asked(**{**given, **asked}), SystemClock(), steps=chosen)


@contextmanager
def endpoint(text: str) -> Iterator[str]:
    """An endpoint of metrics on this machine that answers a text."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Metrics from the command line: the endpoint of a run, the report of bounds, the histogram of alerts."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED
from scheduler_folder import CLOCK, loop, wait_for

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("scheduler_folder")
SPAN = ("--start", "2023-06-01", "--end", "2023-06-20")


def test_a_report_passes_or_fails(barstep: Run) -> None:
    """By the bounds of the configuration; the file is there in both cases."""
    path = Path("var/headers_report.json")
    good = barstep("metrics", "watch", "--headers-report", "--output", path, *SPAN)
    assert (good.code, good.err) == (0, ""), good.err
    assert "PASS: ok; wrote var/headers_report.json" in good.out
    report = json.loads(path.read_text())
    assert {"avg_abs_zscore", "allocation_error_pct", "spread_capture_bps"} <= {
        metric for one in report["schedules"].values() for metric in one["metrics"]
    }
    assert report["source"]["kind"] == "replay" and len(report["source"]["config_sha384"]) == 96
    strict = PACKAGED.read_text().replace(
        "avg_abs_zscore: {warn: 3.0, fail: 5.0}", "avg_abs_zscore: {warn: 0, fail: 0}"
    )
    Path("config/core.yaml").write_text(strict)
    bad = barstep("metrics", "watch", "--headers-report", "--output", path, "--json", *SPAN)
    assert bad.code == 1
    assert json.loads(bad.out) == json.loads(path.read_text())
    assert json.loads(bad.out)["schedules"]["mean_reversion_schedule"]["status"] == "fail"


def test_changes_are_lines(barstep: Run) -> None:
    """Each with its instant, whose it is, the value and what it is now."""
    lines = barstep("metrics", "watch", *SPAN).out.splitlines()
    assert all(
        re.fullmatch(r"2023-06-\S+Z .+ \((balanced|aggressive)\) \w+ [-\d,.]+ (ok|warn|fail)", one) for one in lines
    )
    first = json.loads(barstep("metrics", "watch", "--json", *SPAN).out.splitlines()[0])
    assert set(first) == {"at", "schedule", "risk_profile", "metric", "value", "status"}


def test_the_histogram_is_by_profile_and_metric(barstep: Run) -> None:
    """As text with bars, and as JSON; of a journal, too."""
    text = barstep("telemetry", "render", "--section", "scheduler_alerts", *SPAN)
    assert text.code == 0 and "  avg_abs_zscore: warn 3, fail 5" in text.out
    assert re.search(r"^    ok   #+ +\d+ +\d+\.\d\d%$", text.out, re.MULTILINE)
    found = json.loads(barstep("telemetry", "render", "--json", *SPAN).out)
    assert found["section"] == "scheduler_alerts" and set(found["risk_profiles"]) == {"aggressive", "balanced"}
    none = barstep("telemetry", "render", "--journal", "audit/decision_logs")
    assert none.code == 5 and "no open journal" in none.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("metrics", "watch", "--headers-report"), "name its file with --output"),
        (("metrics", "watch", "--output", "x.json"), "is for --headers-report"),
        (("metrics", "watch", "--token-file", "t"), "are for --url"),
        (("metrics", "watch", "--url", "http://127.0.0.1:1/metrics", "--start", "2023-01-01"), "leave one out"),
        (("metrics", "watch", "--url", "ftp://x", "--headers-report", "--output", "x.json"), "is none; allowed"),
        (("telemetry", "render", "--journal", "j", "--start", "2023-01-01"), "are for a replay"),
        (("replay", "--metrics-address", "127.0.0.1"), "--metrics-address: needs --metrics-port"),
        (("replay", "--metrics-port", "0", "--metrics-address", "0.0.0.0"), "others than this machine can read"),  # noqa: S104
        (("replay", "--from-journal", "j", "--metrics-port", "0"), "leave --metrics-port out"),
        (("scheduler", "run", "--run-once", "--metrics-port", "0"), "only with --run-forever"),
        (("scheduler", "run", "--connect", "--list-schedules", "--metrics-port", "0"), "leave --metrics-port out"),
    ],
)
def test_what_does_not_go_together_is_refused(barstep: Run, words: tuple[str, ...], told: str) -> None:
    """In one line, with 2."""
    refused = barstep(*words)
    assert (refused.code, refused.out) == (2, ""), refused.err
    assert told in refused.err and refused.err.startswith("error: ")


def test_nobody_there_is_an_error_of_the_other_side(barstep: Run) -> None:
    """With 6."""
    report = ("--headers-report", "--output", "x.json")
    refused = barstep("metrics", "watch", "--url", "http://127.0.0.1:1/metrics", *report)
    assert refused.code == 6 and "does not answer" in refused.err
    assert not Path("x.json").exists()


def test_a_running_loop_shows_its_metrics(barstep: Run) -> None:
    """They can be held against bounds meanwhile, once or again and again; the endpoint ends with the loop."""
    with loop("--speed", "36000x", "--metrics-port", "0") as running:
        assert running.stderr is not None
        lines = (line.decode() for line in running.stderr)
        url = next(line.split()[1] for line in lines if line.startswith("metrics: "))
        path = Path("headers_report.json")
        asked = ("metrics", "watch", "--headers-report", "--output", path, "--url", url)

        def has_runs() -> bool:
            CLOCK.sleep_us(200_000)
            barstep(*asked)
            found = json.loads(path.read_text()) if path.exists() else {}
            return bool(found.get("schedules"))

        wait_for(has_runs)
        assert json.loads(path.read_text())["source"] == {"kind": "endpoint", "url": url}
        command = [sys.executable, "-m", "barstep", "metrics", "watch", "--url", url, "--every", "0.1s", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as watching:
            assert watching.stdout is not None
            assert "metric" in json.loads(watching.stdout.readline())
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=60)
        assert watching.returncode == 130
        status = json.loads(barstep("scheduler", "top", "--once", "--json").out)
        assert status["resources"]["memory_mb"]["usage"] > 10.0
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == 0
        assert barstep(*asked).code == 6


def test_a_sweep_counts_its_rows(barstep: Run, hours: Path) -> None:
    """And says where they are shown."""
    words = ("sweep", "mean_reversion", hours, "--axis", "lookback=24,48", "--metrics-port", "0", "--json")
    swept = barstep(*words)
    assert swept.code == 0 and "metrics: http://127.0.0.1:" in swept.err

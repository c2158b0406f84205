"""What `barstep backtest --scheduler` refuses, in one line for each thing that is wrong, and with which exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED
from barstep.data.presets import EMBEDDED_FOLDER

Run = Callable[..., Any]

FILE = EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet"
HEDGED = ["--config", PACKAGED, "--scheduler", "hedged_multi"]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without a configuration."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["mean_reversion", FILE, "--scheduler", "x"],
            "--scheduler is for the backtest of a scheduler and the engine 'mean_reversion' for that",
        ),
        (
            ["mean_reversion", FILE, "--end", "2024-01-01"],
            "--end is for the backtest of a scheduler and the engine 'mean_reversion' for that",
        ),
        (
            ["--without-governor", "--secondary", FILE],
            "--without-governor is for the backtest of a scheduler and --secondary for that",
        ),
        (
            ["--config", PACKAGED, "--engine-file", "a.py"],
            "--config is for the backtest of a scheduler and --engine-file for that",
        ),
        (["--config", PACKAGED, "--funding", "a.csv"], "and --funding for that of an engine; leave one out."),
        ([], "or a scheduler: barstep backtest mean_reversion FILE, or barstep backtest --scheduler core_multi."),
    ],
)
def test_a_scheduler_or_an_engine(barstep: Run, words: list[object], text: str) -> None:
    """Both at once, or neither: the two options that exclude each other are named."""
    ran = barstep("backtest", *words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert text in ran.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["--scheduler", "core_mult"],
            "unknown scheduler 'core_mult'. Did you mean 'core_multi'? Allowed: core_multi, ",
        ),
        (["--scheduler", ""], "unknown scheduler ''. Allowed: core_multi, hedged_multi."),
        (["--environment", "dmeo"], "unknown environment 'dmeo'. Did you mean 'demo'?"),
        (["--environment", ""], "unknown environment ''. Allowed: "),
        (
            ["--environment", "binance_paper"],
            "environment 'binance_paper' has no recorded bars of BTCUSDT: set its 'feed' to a folder or to embedded",
        ),
        (["--environment", "live"], "environment 'binance_live' has no recorded bars of BTCUSDT"),
        (["--start", "June"], "--start 'June' is no time. Allowed: 2024-01-31 or 2024-01-31T12:00:00Z."),
        (["--end", "2024"], "--end '2024' is no time."),
        (
            ["--start", "2023-08-21", "--end", "2023-08-14"],
            "the start is 2023-08-21T00:00Z; it must be before the end, 2023-08-14T00:00Z",
        ),
        (
            ["--start", "2023-08-21", "--end", "2023-08-21"],
            "the start is 2023-08-21T00:00Z; it must be before the end, 2023-08-21T00:00Z",
        ),
        (
            ["--start", "2030-01-01"],
            "no bar opens at the start, 2030-01-01T00:00Z, or later; the last opens at 2024-12-31T",
        ),
        (
            ["--start", "2023-08-14T00:30", "--end", "2023-08-14T01:00"],
            "no bar opens at the start, 2023-08-14T00:30Z, or later; the last opens at 2023-08-14T00:00Z",
        ),
        (
            ["--end", "2020-01-01"],
            "no bar closes before the end, 2020-01-01T00:00Z; the bars begin at 2023-01-01T00:00Z",
        ),
        (["--commands", "absent.yaml"], "absent.yaml: no such file."),
        (["--set", "fee_bp=1"], "unknown option 'fee_bp'. Did you mean 'fee_bps'?"),
        (["--set", "environment=demo"], "unknown option 'environment'."),
        (["--set", "lot=1", "--set", "lot=2"], "--set lot: given twice; give it once."),
        (["--set", "lot"], "--set 'lot': write NAME=VALUE"),
        (["--fee-bps", "1", "--set", "fee_bps=2"], "fee_bps: given as --fee-bps and by --set; give it once."),
        (["--set", "fee_bps=much"], "fee_bps is 'much'; it must be a number"),
        (["--fee-bps", "-1"], "fee_bps is -1.0; allowed is 0 or more"),
        (["--units", "1"], "units is not for schedulers: their capital policy says how much each schedule trades"),
        (["--without-limit"], "No such option: --without-limit (Possible options: "),
    ],
)
def test_one_line_for_what_is_wrong(barstep: Run, words: list[object], text: str) -> None:
    """A name with the near one, a time, a span without bars, an environment without any, an option, its value."""
    ran = barstep("backtest", *HEDGED, *words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"error: {text}")


def test_a_configuration_that_is_not_there(barstep: Run) -> None:
    """Its name is told, and the one of barstep is not taken in its place."""
    ran = barstep("backtest", "--config", "absent.yaml")
    assert (ran.code, ran.out, ran.err) == (2, "", "error: absent.yaml: no such file.\n")


def test_recorded_bars_that_are_not_there(barstep: Run, tmp_path: Path) -> None:
    """A feed without the datasets is data that cannot be read: another exit code, and the folder's name."""
    own, folder = tmp_path / "mine.yaml", tmp_path / "feed"
    folder.mkdir()
    own.write_text(PACKAGED.read_text(encoding="utf-8").replace("feed: embedded", f"feed: {folder}"), encoding="utf-8")
    ran = barstep("backtest", "--config", own)
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert str(folder) in ran.err


def test_every_error_of_a_file_of_commands(barstep: Run, tmp_path: Path) -> None:
    """A line each, with file, line and column, what is wrong there, and the near name."""
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "commands:\n"
        "  - {at: 2023-08-17T21:40:00Z, command: suspend_schedul, schedule: trend_schedule}\n"
        "  - {at: soon, command: suspend_schedule, schedule: trend_schedule}\n"
        "  - {at: 2023-08-17T21:45:00Z, command: suspend_schedule, schedule: trend_schedul}\n"
        "  - {at: 2023-08-17T21:45:00Z, command: disable_strategy, strategy: grid_engine, untli: 2023-08-18}\n",
        encoding="utf-8",
    )
    ran = barstep("backtest", "--config", PACKAGED, "--scheduler", "core_multi", "--commands", path)
    lines = ran.err.splitlines()
    assert (ran.code, ran.out, len(lines)) == (2, "", 4)
    for line, place, text in zip(
        lines,
        ("2:32: commands[0].command", "3:6: commands[1].at", "4:59: commands[2].schedule", "5:82: commands[3].untli"),
        (
            "unknown command 'suspend_schedul'. Did you mean 'suspend_schedule'?",
            "is 'soon'; allowed is an instant",
            "unknown schedule 'trend_schedul'. Did you mean 'trend_schedule'?",
            "unknown key 'untli'. Allowed: at, command, flatten, reason, strategy.",
        ),
        strict=True,
    ):
        assert line.startswith(f"error: {path}:{place}: {text}")


def test_a_folder_that_is_there_is_refused_before_anything_runs(barstep: Run, tmp_path: Path) -> None:
    """It stays as it is, and not even the names are looked at."""
    (tmp_path / "out").mkdir()
    ran = barstep("backtest", "--scheduler", "no such scheduler", "--output", tmp_path / "out")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "is there already; add --overwrite" in ran.err
    assert list((tmp_path / "out").iterdir()) == []


def test_the_default_configuration_is_told_before_an_error(barstep: Run) -> None:
    """Who has none of their own learns where the allowed names come from."""
    ran = barstep("backtest", "--scheduler", "mine")
    assert ran.err.splitlines() == [
        f"no config/core.yaml here; reading the one that comes with barstep: {PACKAGED}",
        "error: unknown scheduler 'mine'. Allowed: core_multi, hedged_multi.",
    ]

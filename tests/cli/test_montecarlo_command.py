"""`barstep montecarlo` resamples what was saved, and `barstep report --montecarlo` shows it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import barstep as package
import polars as pl
import pytest
from barstep.cli import console
from barstep.cli import montecarlo as command
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine import montecarlo as engine
from barstep.engine.montecarlo import METHODS

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def result() -> package.Result:
    """Embedded hours, traded."""
    bars = package.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1h.parquet")
    return package.backtest(bars.part(0, 2000), "sma_crossover")


@pytest.fixture
def saved(result: package.Result, tmp_path: Path) -> Path:
    """The folder of a saved result."""
    (tmp_path / "out").mkdir()
    return result.save(tmp_path / "out" / "hours")


def test_the_table_has_the_metrics_beside_the_result_s_own(barstep: Run, saved: Path) -> None:
    """One row a metric, then both chances; nothing is written unless asked."""
    before = sorted(saved.rglob("*"))
    ran = barstep("montecarlo", saved.parent, "--paths", 50, "--block-bars", 10, "--ruin-drawdown-pct", 20)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "50 paths of 2,000 bars: stationary bootstrap, blocks of 10 bars on average, seed 0"
    assert lines[1].split() == ["metric", "observed", "mean", "p5", "p25", "p50", "p75", "p95"]
    assert [line.split()[0] for line in lines[2:8]] == [
        "final_equity", "annual_return_pct", "annual_volatility_pct", "sharpe", "max_drawdown_pct", "max_drawdown_bars",
    ]  # fmt: skip
    assert lines[8].startswith("probability of a loss: ")
    assert lines[9].startswith("probability of a drawdown over 20 %: ")
    assert sorted(saved.rglob("*")) == before


def test_the_document_is_python_s(barstep: Run, saved: Path) -> None:
    """`--json` prints what `bs.montecarlo` gives for the same words."""
    ran = barstep(
        "montecarlo", saved, "--json", "--paths", 30, "--method", "trades", "--seed", 9, "--threads", 2,
        "--ruin-drawdown-pct", 12.5,
    )  # fmt: skip
    expected = package.montecarlo(saved, paths=30, method="trades", seed=9, ruin_drawdown_pct=12.5)
    assert json.loads(ran.out) == json.loads(expected.to_json())
    assert ran.err == ""


def test_folder_and_page_are_written(barstep: Run, result: package.Result, saved: Path, tmp_path: Path) -> None:
    """The folder holds what `save` writes, and the page is that of `barstep report --montecarlo` and of Python."""
    folder, page = tmp_path / "mc", tmp_path / "mc.html"
    ran = barstep("montecarlo", saved, "--paths", 40, "--output", folder, "--report", page)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-2:] == [f"wrote {folder}", f"wrote {page}"]
    assert pl.read_parquet(folder / "paths.parquet").height == 40
    assert json.loads((folder / "montecarlo.json").read_text())["paths"] == 40
    assert barstep("report", saved, "--montecarlo", 40).code == 0
    assert (saved / "report.html").read_bytes() == page.read_bytes()
    direct = result.report(tmp_path / "direct.html", montecarlo=40)
    assert direct.read_bytes() == page.read_bytes()


def test_both_are_replaced_only_when_asked(barstep: Run, saved: Path, tmp_path: Path) -> None:
    """Before anything is computed; with `--overwrite` they are new."""
    folder, page = tmp_path / "mc", tmp_path / "mc.html"
    folder.mkdir()
    page.write_text("mine")
    for option, path in (("--output", folder), ("--report", page)):
        refused = barstep("montecarlo", saved, "--paths", 2, option, path)
        assert (refused.code, refused.out) == (2, "")
        assert f"{path}: is there already; add --overwrite" in refused.err
    assert barstep("montecarlo", saved, "--paths", 2, "--output", folder, "--report", page, "--overwrite").code == 0
    assert (folder / "montecarlo.json").exists()
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["outt"], 3, "no such result. Did you mean 'out'?"),
        (["out", "--method", "bloc"], 2, "unknown method 'bloc'. Did you mean 'block'?"),
        (["out", "--paths", "0"], 2, "paths is 0; allowed is a whole number from 1 to 10,000,000"),
        (["out", "--paths", "many"], 2, "'--paths': Input should be a valid integer"),
        (["out", "--seed", "-1"], 2, "seed is -1;"),
        (["out", "--threads", "0"], 2, "threads is 0;"),
        (["out", "--block-bars", "2001"], 2, "block_bars is 2001.0; allowed is 1 to 2,000"),
        (["out", "--block-bars", "2.5", "--method", "block"], 2, "whole bars"),
        (["out", "--block-bars", "2", "--method", "trades"], 2, "leave it out"),
        (["out", "--ruin-drawdown-pct", "101"], 2, "allowed is above 0 to 100"),
        (["out", "--report", "mc.pdf"], 2, "not by the printed sheet"),
        (["out", "--report", "mc.docx"], 2, "'.docx' is not one"),
    ],
)
def test_wrong_words_get_one_line(
    barstep: Run, saved: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, text: str
) -> None:
    """What is mistyped or out of range is one line and its exit code, and nothing is written."""
    monkeypatch.chdir(saved.parents[1])
    before = sorted(saved.parents[1].rglob("*"))
    ran = barstep("montecarlo", *words)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.count("\n") == 1
    assert text in ran.err
    assert sorted(saved.parents[1].rglob("*")) == before


@pytest.mark.parametrize("name", ["equity.parquet", "trades.parquet", "result.json"])
def test_a_broken_folder_is_one_line(barstep: Run, saved: Path, name: str) -> None:
    """A file that cannot be read is named, exit 3."""
    (saved / name).write_bytes(b"not what it was")
    ran = barstep("montecarlo", saved, "--paths", 2)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.count("\n") == 1
    assert name in ran.err


def test_the_report_refuses_a_printed_sheet(barstep: Run, saved: Path) -> None:
    """`--montecarlo` goes with a page; so does the number of paths in Python."""
    ran = barstep("report", saved, "--montecarlo", 10, "--format", "pdf")
    assert (ran.code, ran.out) == (2, "")
    assert "name a file .html" in ran.err
    assert not (saved / "report.pdf").exists()
    assert barstep("report", saved, "--montecarlo", 0).code == 2
    assert not (saved / "report.html").exists()


def test_the_command_s_methods_are_the_engine_s() -> None:
    """The command names them itself, so that its help imports nothing."""
    assert command._METHODS == METHODS


def test_ctrl_c_ends_with_130_and_leaves_nothing(
    barstep: Run, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of many paths: what was not begun is not begun."""
    done: list[int] = []

    @contextmanager
    def interrupted(_what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
        assert not quiet

        def press(paths: int, _total: int) -> None:
            done.append(paths)
            if len(done) == 2:
                signal.raise_signal(signal.SIGINT)

        yield press

    monkeypatch.setattr(console, "progress_of_bars", interrupted)
    monkeypatch.setattr(engine, "_STEPS_AT_ONCE", 2000)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background process ignores it
    try:
        ran = barstep(
            "montecarlo", saved, "--paths", 5000, "--output", tmp_path / "mc", "--report", tmp_path / "mc.html"
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert (ran.code, ran.out, ran.err) == (130, "", "")
    assert done == [1, 2]
    assert not list(tmp_path.glob("*mc*"))

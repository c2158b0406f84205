"""`barstep report` writes a report of what `backtest --output` saved."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as package
import pytest

Run = Callable[..., Any]


@pytest.fixture
def saved(barstep: Run, hours: Path, tmp_path: Path) -> Path:
    """A folder with one saved result."""
    assert barstep("backtest", "sma_crossover", hours, "--output", tmp_path / "out").code == 0
    return tmp_path / "out"


def test_the_report_stands_beside_the_result(barstep: Run, saved: Path, hours: Path, tmp_path: Path) -> None:
    """By default the page is written beside result.json, and it is the page that Python writes."""
    ran = barstep("report", saved)
    path = saved / hours.stem / "report.html"
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"wrote {path} (")
    direct = package.backtest(package.load(hours), "sma_crossover").report(tmp_path / "direct.html")
    assert path.read_bytes() == direct.read_bytes()


def test_a_portfolio_is_read_too(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """The folder that a portfolio was saved to gives the page that Python writes."""
    bars = [package.load(hours), package.load(hours.with_name("binance_ETHUSDT_1h.parquet"))]
    result = package.portfolio(bars, [package.Allocation(strategy="sma_crossover", weight=0.5)])
    ran = barstep("report", result.save(tmp_path / "both"))
    assert (ran.code, ran.err) == (0, "")
    direct = result.report(tmp_path / "direct.html")
    assert (tmp_path / "both" / "report.html").read_bytes() == direct.read_bytes()


@pytest.mark.parametrize("kind", ["html", "png", "pdf"])
def test_formats_and_json(barstep: Run, saved: Path, hours: Path, kind: str) -> None:
    """`--format` names the file, and `--json` tells what was written."""
    ran = barstep("report", saved / hours.stem / "result.json", "--format", kind, "--json")
    path = saved / hours.stem / f"report.{kind}"
    assert json.loads(ran.out) == {"report": {"path": str(path), "format": kind, "bytes": path.stat().st_size}}


def test_a_report_is_replaced_only_when_asked(barstep: Run, saved: Path, tmp_path: Path) -> None:
    """A file that is there stays without `--overwrite`; the output's ending says the format."""
    path = tmp_path / "sheet.pdf"
    path.write_text("mine")
    refused = barstep("report", saved, "--output", path)
    assert (refused.code, path.read_text()) == (2, "mine")
    assert "--overwrite" in refused.err
    assert barstep("report", saved, "--output", path, "--overwrite").code == 0
    assert path.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["outt"], 3, "no such result. Did you mean 'out'?"),
        (["out", "--format", "pfd"], 2, "unknown format 'pfd'. Did you mean 'pdf'?"),
        (["out", "--format", "pdf", "--output", "a.html"], 2, "ends in .html, but --format is pdf"),
        (["out", "--output", "a.docx"], 2, "'.docx' is not one. Allowed: .html, .png, .pdf."),
        (["."], 3, "holds no result"),
    ],
)
def test_wrong_words_get_one_line(
    barstep: Run, saved: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, text: str
) -> None:
    """What is mistyped is one line and its exit code, and nothing is written."""
    monkeypatch.chdir(saved.parent)
    before = sorted(saved.parent.rglob("*"))
    ran = barstep("report", *words)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.count("\n") == 1
    assert text in ran.err
    assert sorted(saved.parent.rglob("*")) == before


def test_the_missing_extra_is_one_line(barstep: Run, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the command says what to install."""
    monkeypatch.setitem(sys.modules, "bokeh", None)
    ran = barstep("report", saved)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("pip install 'barstep[report]'\n")
    assert not list(saved.rglob("report.*"))


def test_help_imports_nothing_heavy() -> None:
    """Help answers without the libraries that draw or compute."""
    code = (
        "import sys; from barstep.cli.app import main; sys.argv = ['barstep', 'report', '--help']\n"
        "code = main(); print('imported', *sorted(name for name in sys.modules if '.' not in name)); sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(ran.stdout.splitlines()[-1].split()[1:])
    assert "typer" in imported
    assert not imported & {"bokeh", "jinja2", "matplotlib", "numpy", "numba", "polars"}


def test_several_results_are_named(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """A folder of several results is refused with their names."""
    other = hours.with_name("binance_ETHUSDT_1h.parquet")
    barstep("backtest", "sma_crossover", hours, other, "--output", tmp_path / "out")
    ran = barstep("report", tmp_path / "out")
    assert ran.code == 2
    assert f"holds 2 results; name one, such as {tmp_path / 'out' / hours.stem}" in ran.err
    assert "binance_ETHUSDT_1h" in ran.err


def test_the_report_of_a_sweep(barstep: Run, hours: Path, tmp_path: Path) -> None:
    """The folder of a sweep, or its document, is reported by the metric that is asked for."""
    axes = {"fast_ma": [5, 10], "slow_ma": [20, 40]}
    swept = package.sweep(package.load(hours), "sma_crossover", axes, folder=tmp_path / "swept")
    ran = barstep("report", tmp_path / "swept", "--by", "calmar")
    assert (ran.code, ran.err) == (0, "")
    direct = swept.report(tmp_path / "direct.html", by="calmar")
    assert (tmp_path / "swept" / "report.html").read_bytes() == direct.read_bytes()
    assert barstep("report", tmp_path / "swept" / "sweep.json", "-o", tmp_path / "sheet.pdf").code == 0
    refused = barstep("report", tmp_path / "swept", "--by", "sharp", "--overwrite")
    assert (refused.code, "Did you mean 'sharpe'" in refused.err) == (2, True)


def test_a_metric_is_for_sweeps(barstep: Run, saved: Path) -> None:
    """`--by` says nothing of a single result, and `--montecarlo` nothing of a sweep."""
    refused = barstep("report", saved, "--by", "sharpe")
    assert refused.code == 2
    assert "--by is for the report of a sweep" in refused.err
    refused = barstep("report", saved / "sweep.json", "--montecarlo", "100")
    assert refused.code == 2
    assert "--montecarlo is for the report of a result" in refused.err

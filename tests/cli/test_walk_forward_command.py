"""`barstep walk-forward` gives what the Python call gives, in tables, in JSON, in a folder and as a report."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as package
import polars as pl
import pytest
from barstep.data.dataset import read_dataset, write_dataset

Run = Callable[..., Any]

WORDS = (
    "--axis", "fast_ma=6,12", "--axis", "slow_ma=24:72:24", "--set", "allow_short=true", "--set", "fee_bps=4",
    "--train-bars", 1000, "--test-bars", 400,
)  # fmt: skip
ASKED: dict[str, Any] = {"allow_short": True, "fee_bps": 4.0, "train_bars": 1000, "test_bars": 400}
AXES = {"fast_ma": [6, 12], "slow_ma": [24, 48, 72]}


@pytest.fixture
def some_hours(hours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 3,000 of the embedded hours."""
    dataset, path = read_dataset(hours), tmp_path_factory.mktemp("data") / "some.parquet"
    write_dataset(dataset.frame.head(3000), dataset.info, path)
    return path


def test_json_is_what_python_gives(barstep: Run, some_hours: Path) -> None:
    """Options of the command line are the keywords of `walk_forward`."""
    more = {"anchored": True, "purge_bars": 48, "embargo_bars": 24, "select": "max_drawdown_pct", "lowest": True}
    ran = barstep(
        "walk-forward", "sma_crossover", some_hours, *WORDS, "--anchored", "--purge-bars", 48, "--embargo-bars", 24,
        "--select", "max_drawdown_pct", "--lowest", "--step-bars", 450, "--threads", 1, "--json",
    )  # fmt: skip
    result = package.walk_forward(
        package.load(some_hours), "sma_crossover", AXES, **ASKED, **more, step_bars=450, threads=1
    )
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    assert told["result"] == json.loads(result.to_json())
    assert [row["row"] for row in told["windows"]] == result.windows["row"].to_list()
    assert told["windows"][0]["test_start"] == "2023-02-13T16:00:00Z"


def test_draws_are_the_same_for_the_same_seed(barstep: Run, some_hours: Path) -> None:
    """Sets are drawn from spans, as many as asked for."""
    words = ("--axis", "fast_ma=4..12", "--axis", "slow_ma=20..90:log", "--sampling", "random", "--sets", 5, "--json")
    lengths = ("--train-bars", 1000, "--test-bars", 600)
    ran = [barstep("walk-forward", "sma_crossover", some_hours, *words, *lengths, "--seed", seed) for seed in (1, 1, 2)]
    first, again, other = (json.loads(each.out)["result"] for each in ran)
    assert first == again
    assert first["walk_forward"]["sets"] == 5
    assert first["digests"] != other["digests"]


def test_tables_say_what_was_chosen_and_how_sure_it_is(barstep: Run, some_hours: Path) -> None:
    """A row a window, the metrics out of sample, and what may be luck."""
    ran = barstep("walk-forward", "sma_crossover", some_hours, *WORDS)
    result = package.walk_forward(package.load(some_hours), "sma_crossover", AXES, **ASKED)
    assert (ran.code, ran.err) == (0, "")
    assert "out of sample" in ran.out
    assert f"{result.metrics['sharpe']:,.2f}" in ran.out
    for text in ("Probability of backtest overfitting", "Deflated Sharpe ratio", "Minimum track record", "Efficiency"):
        assert text in ran.out
    assert ran.out.count("2023-02-11 16:00") == 1


def test_a_folder_and_a_report(barstep: Run, some_hours: Path, tmp_path: Path) -> None:
    """The folder has the document and the tables; `barstep report` makes of it the page that was asked for."""
    folder, page = tmp_path / "out", tmp_path / "page.html"
    ran = barstep("walk-forward", "sma_crossover", some_hours, *WORDS, "--output", folder, "--report", page)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith(f"wrote {folder}\nwrote {page}\n")
    windows, equity = (pl.read_parquet(folder / f"{name}.parquet") for name in ("windows", "equity"))
    assert windows.height == 5
    assert equity.height == 5 * 400
    assert json.loads((folder / "result.json").read_text())["provenance"]["data_sha384"]
    assert barstep("report", folder).code == 0
    assert (folder / "report.html").read_bytes() == page.read_bytes()
    assert barstep("reproduce", folder).code == 0


def test_what_is_there_stays(barstep: Run, some_hours: Path, tmp_path: Path) -> None:
    """A folder or a file is replaced only when it is asked for, and nothing runs before that is known."""
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    for option in ("--output", "--report"):
        ran = barstep("walk-forward", "sma_crossover", tmp_path / "missing.parquet", *WORDS, option, mine)
        assert ran.code == 2
        assert "--overwrite" in ran.err
    assert mine.read_text() == "mine"
    assert barstep("walk-forward", "sma_crossover", some_hours, *WORDS, "--report", mine, "--overwrite").code == 0
    assert mine.read_text().startswith("<!doctype html>")


def test_an_interruption_leaves_nothing(
    barstep: Run, some_hours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of a sweep ends with 130, and no folder is there."""
    from barstep.engine import walk_forward as module  # noqa: PLC0415 - the name of a function hides the module

    sweep = module.run_sweep
    runs: list[object] = []

    def interrupted(*given: Any, **named: Any) -> Any:
        runs.append(given)
        if len(runs) == 2:
            signal.raise_signal(signal.SIGINT)
        return sweep(*given, **named)

    monkeypatch.setattr(module, "run_sweep", interrupted)
    ran = barstep("walk-forward", "sma_crossover", some_hours, *WORDS, "--output", tmp_path / "out")
    assert (ran.code, ran.err) == (130, "stopped: nothing was kept\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--axis", "fast_ma"], 2, "--axis 'fast_ma': write NAME=VALUES"),
        (["--axis", "fats_ma=3,4"], 2, "unknown parameter to vary 'fats_ma'. Did you mean 'fast_ma'"),
        (["--axis", "capital=1,2"], 2, "capital is one for the account"),
        ([], 2, "nothing is varied"),
        (["--axis", "fast_ma=6,12", "--select", "shape"], 2, "unknown metric 'shape'. Did you mean 'sharpe'"),
        (["--axis", "fast_ma=6,12", "--step-bars", "100"], 2, "tests that overlap cannot be stitched"),
        (["--axis", "fast_ma=6,12", "--train-bars", "2800"], 2, "the data has 3,000"),
        (["--axis", "fast_ma=6,12", "--set", "seed=3"], 2, "--set seed: is an option of its own, --seed"),
        (["--axis", "fast_ma=6,12", "--report", "page.docx"], 2, "'.docx' is not one"),
        (["--axis", "fast_ma=6,12", "--threads", "0"], 2, "threads is 0"),
    ],
)
def test_wrong_words_get_one_line(barstep: Run, some_hours: Path, words: list[str], code: int, text: str) -> None:
    """What was wrong, and how it is written."""
    lengths = ["--train-bars", "1000", "--test-bars", "400"]
    ran = barstep("walk-forward", "sma_crossover", some_hours, *lengths, *words)
    assert (ran.code, ran.out) == (code, "")
    assert text in ran.err
    assert ran.err.count("\n") == 1


def test_what_cannot_be_found_gets_one_line(barstep: Run, some_hours: Path, tmp_path: Path) -> None:
    """A mistyped engine with the near name; a file that is not there; lengths that are not given."""
    mistyped = barstep("walk-forward", "sma_crosover", some_hours, *WORDS)
    assert (mistyped.code, "Did you mean 'sma_crossover'?" in mistyped.err) == (2, True)
    missing = barstep("walk-forward", "sma_crossover", tmp_path / "no.parquet", *WORDS)
    assert (missing.code, "no.parquet" in missing.err) == (3, True)
    lengths = barstep("walk-forward", "sma_crossover", some_hours, "--axis", "fast_ma=6,12")
    assert (lengths.code, "--train-bars" in lengths.err) == (2, True)

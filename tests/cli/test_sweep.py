"""`barstep sweep` runs what `sweep` runs, says how much it will be, and goes on after it was stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barstep as bs
import polars as pl
import pytest
from barstep.data.dataset import read_dataset, write_dataset
from barstep.data.funding import read_funding
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.ops.sweep_folder import read_sweep
from barstep.ops.sweeping import sweep
from scheduler_folder import wait_for

Run = Callable[..., Any]
DONCHIAN = Path(__file__).parents[2] / "docs" / "examples" / "donchian.py"
AXES = ("--axis", "fast_ma=3:9:3", "--axis", "allow_short=true,false")
VARIED = {"fast_ma": [3, 6, 9], "allow_short": [True, False]}
SCHEDULER = ("sweep", "--scheduler", "core_multi", "--start", "2023-01-08", "--end", "2023-01-12")


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that gives the first 900 hours of an embedded dataset."""
    folder = tmp_path_factory.mktemp("short")

    def cut(name: str = "binance_BTCUSDT") -> Path:
        path = folder / f"{name}_1h.parquet"
        if not path.exists():
            whole = read_dataset(EMBEDDED_FOLDER / path.name)
            write_dataset(whole.frame.head(900), whole.info, path)
        return path

    return cut


def test_json_is_what_python_gives(barstep: Run, short: Callable[..., Path]) -> None:
    """What was asked for, the best rows as the table has them, and nothing else on the screen."""
    ran = barstep(
        "sweep", "sma_crossover", short(), *AXES, "--set", "slow_ma=30", "--set", "fee_bps=4", "--metric", "sharpe",
        "--metric", "trades", "--by", "trades", "--top", 3, "--lowest", "--json",
    )  # fmt: skip
    asked: dict[str, Any] = {"slow_ma": 30, "fee_bps": 4, "metrics": ["sharpe", "trades"]}
    result = sweep(bs.load(short()), "sma_crossover", VARIED, **asked)
    document = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert document["best"] == result.best("trades", 3, lowest=True).to_dicts()
    assert document["sweep_sha384"] == result.plan.digest
    assert (document["rows"], document["by"]) == (6, "trades")
    assert document["axes"]["fast_ma"] == {"values": [3, 6, 9]}


def test_the_table_shows_the_best(barstep: Run, short: Callable[..., Path]) -> None:
    """Before it what will be run is said, on stderr; behind it a warning of the best of many."""
    ran = barstep("sweep", "sma_crossover", short(), *AXES, "--set", "slow_ma=6", "--by", "calmar", "--threads", 1)
    assert ran.code == 0
    assert "sma_crossover: 2 sets (4 more contradict themselves), 2 rows, 0.0 M bars; 1 threads; at most" in ran.err
    assert "calmar" in ran.out
    assert "the best of 2 by calmar" in ran.out


def test_run_may_be_written_out(barstep: Run, short: Callable[..., Path]) -> None:
    """The same with the word and without it, and with the options first."""
    words = ("sma_crossover", short(), *AXES, "--json")
    plain = barstep("sweep", *words)
    assert barstep("sweep", "run", *words).out == plain.out
    assert barstep("sweep", *words[2:], *words[:2]).out == plain.out


def test_drawn_sets(barstep: Run, short: Callable[..., Path]) -> None:
    """Spans, conditions and a seed are those of Python."""
    ran = barstep(
        "sweep", "mean_reversion", short(), "--axis", "lookback=10..40", "--axis", "min_volume_usd=1e3..1e7:log",
        "--axis", "allow_short=true,false", "--axis", "exit_zscore=0.2,0.4 when allow_short=true",
        "--sampling", "sobol", "--sets", 16, "--seed", 5, "--json", "--top", 99,
    )  # fmt: skip
    axes = {
        "lookback": bs.Span(10, 40), "min_volume_usd": bs.Span(1e3, 1e7, log=True), "allow_short": [True, False],
        "exit_zscore": bs.When([0.2, 0.4], allow_short=True),
    }  # fmt: skip
    result = sweep(bs.load(short()), "mean_reversion", axes, sampling="sobol", sets=16, seed=5)
    assert json.loads(ran.out)["sweep_sha384"] == result.plan.digest


def test_several_instruments_second_venues_and_rates(barstep: Run, short: Callable[..., Path], tmp_path: Path) -> None:
    """Each dataset has its own, in their order."""
    both = barstep("sweep", "sma_crossover", short(), short("binance_ETHUSDT"), *AXES, "--json", "--top", 12)
    assert {row["symbol"] for row in json.loads(both.out)["best"]} == {"BTCUSDT", "ETHUSDT"}
    kraken = ("--secondary", short("kraken_BTCUSDT"), "--axis", "spread_entry=0.0005,0.001", "--json")
    pair = json.loads(barstep("sweep", "cross_exchange_arbitrage", short(), *kraken).out)
    assert len(pair["best"]) <= 2
    rates = tmp_path / "funding.csv"
    rates.write_text(
        "calc_time,last_funding_rate\n" + "".join(f"{1672531200000 + 28800000 * k},0.0001\n" for k in range(90))
    )
    funded = json.loads(barstep("sweep", "sma_crossover", short(), *AXES, "--funding", rates, "--json").out)
    result = sweep(bs.load(short()), "sma_crossover", VARIED, funding=read_funding(rates))
    assert funded["sweep_sha384"] == result.plan.digest


def test_an_engine_of_a_file(barstep: Run, short: Callable[..., Path]) -> None:
    """By its name, with its own parameters."""
    ran = barstep("sweep", "donchian", short(), "--engine-file", DONCHIAN, "--axis", "window=10,20", "--json")
    assert [row["window"] for row in sorted(json.loads(ran.out)["best"], key=lambda row: row["row"])] == [10, 20]


def test_a_dry_run_runs_nothing(barstep: Run, short: Callable[..., Path], tmp_path: Path) -> None:
    """How much it is, in words or as JSON; no folder is made."""
    words = ("sweep", "sma_crossover", short(), *AXES, "--output", tmp_path / "s", "--dry-run")
    ran = barstep(*words)
    assert (ran.code, ran.out) == (0, "")
    assert "6 sets, 6 rows" in ran.err
    told = json.loads(barstep(*words, "--json").out)
    assert told["memory_bytes"] > 0
    assert told["rows"] == 6
    assert not (tmp_path / "s").exists()


def test_a_folder_is_written_shown_and_gone_on_with(barstep: Run, short: Callable[..., Path], tmp_path: Path) -> None:
    """All rows in one file; the best of them at any time; the same again is refused, gone on with, or replaced."""
    folder = tmp_path / "s"
    words = ("sweep", "sma_crossover", short(), *AXES, "--output", folder)
    ran = barstep(*words)
    assert ran.code == 0
    assert f"wrote {folder}/: all 6 rows in sweep.parquet" in ran.out
    table = (folder / "sweep.parquet").read_bytes()
    shown = json.loads(barstep("sweep", "show", folder, "--by", "calmar", "--top", 2, "--json").out)
    saved = read_sweep(folder)
    best = saved.table.sort(["calmar", "row"], descending=[True, False]).head(2)
    assert [row["row"] for row in shown["best"]] == best["row"].to_list()
    assert "the best of 6 by calmar" in barstep("sweep", "show", folder / "sweep.json", "--by", "calmar").out
    again = barstep(*words)
    assert again.code == 2
    assert "is there already; add --overwrite to replace it" in again.err
    assert barstep(*words, "--resume").code == 0
    assert barstep(*words, "--overwrite", "--curves", 2).code == 0
    assert (folder / "sweep.parquet").read_bytes() == table
    assert pl.read_parquet(folder / "curves.parquet").height == 2 * 900
    other = barstep(*words, "--set", "slow_ma=60", "--resume")
    assert other.code == 2
    assert "has another sweep: its fixed is {}, this one's" in other.err


def test_a_folder_that_was_changed_is_told(barstep: Run, short: Callable[..., Path], tmp_path: Path) -> None:
    """With the exit code of integrity; one that is no sweep's with that of what cannot be read."""
    folder = tmp_path / "s"
    assert barstep("sweep", "sma_crossover", short(), *AXES, "--output", folder).code == 0
    (folder / "sweep.parquet").write_bytes((folder / "sweep.parquet").read_bytes() + b" ")
    assert barstep("sweep", "show", folder).code == 5
    nothing = barstep("sweep", "show", tmp_path)
    assert nothing.code == 3
    assert "has no sweep.json; it is not the folder of a sweep" in nothing.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "a strategy engine and a dataset are needed, or a scheduler: barstep sweep mean_reversion FILE"),
        (("sma_crossover",), "a strategy engine and a dataset are needed"),
        (("sma_crosover", "FILE", *AXES), "Did you mean 'sma_crossover'"),
        (("sma_crossover", "FILE"), "nothing is varied"),
        (("sma_crossover", "FILE", "--axis", "fast_mma=1,2"), "Did you mean 'fast_ma'"),
        (("sma_crossover", "FILE", "--axis", "fast_ma=1:2"), "write FIRST:LAST:STEP in numbers"),
        (("sma_crossover", "FILE", *AXES, "--set", "seed=3"), "--set seed: is an option of its own, --seed"),
        (("sma_crossover", "FILE", *AXES, "--set", "fast_ma=3"), "fast_ma is varied and given as 3; leave one out"),
        (("sma_crossover", "FILE", *AXES, "--by", "sharp"), "--by: unknown metric of this sweep 'sharp'. Did you mean"),
        (("sma_crossover", "FILE", *AXES, "--metric", "trades"), "--by: unknown metric of this sweep 'sharpe'"),
        (
            ("sma_crossover", "FILE", *AXES, "--resume", "--overwrite", "--output", "x"),
            "--resume goes on in the folder and --overwrite replaces it; leave one out",
        ),
        (("sma_crossover", "FILE", *AXES, "--resume"), "--resume wants a folder; name it with --output"),
        (("sma_crossover", "FILE", *AXES, "--curves", "3"), "--curves wants a folder; name it with --output"),
        (("sma_crossover", "FILE", *AXES, "--threads", "0"), "threads is 0; allowed is 1 to 1,024"),
        (("sma_crossover", "FILE", *AXES, "--memory", "little"), "'little' is no size of memory"),
        (("sma_crossover", "FILE", *AXES, "--memory", "1K"), "the sweep needs"),
        (("sma_crossover", "FILE", *AXES, "--sampling", "sobol"), "sobol draws a number of sets, which is not given"),
        (("sma_crossover", "FILE", *AXES, "--sampling", "random", "--sets", "5", "--seed", "-1"), "seed is -1"),
        (("sma_crossover", "FILE", *AXES, "--scheduler", "core_multi"), "--scheduler is for the sweep of a scheduler"),
        (("sma_crossover", "FILE", *AXES, "--start", "2023-01-01"), "--start is for the sweep of a scheduler"),
        (("--scheduler", "core_mutli", "--axis", "mean_reversion.lookback=48,96"), "Did you mean 'core_multi'"),
        (("--scheduler", "core_multi", "--axis", "capital_policy=equal_weigth"), "Did you mean 'equal_weight'"),
    ],
)  # fmt: skip
def test_wrong_use(words: tuple[str, ...], text: str, barstep: Run, short: Callable[..., Path]) -> None:
    """One line, exit code 2, nothing printed as a result."""
    ran = barstep("sweep", "run", *(short() if word == "FILE" else word for word in words))
    assert ran.code == 2
    assert text in ran.err
    assert ran.out == ""


def test_a_scheduler_is_swept(barstep: Run, scheduler_folder: Path) -> None:
    """Its policies, among them one of a file, over a few days; the rows are told by their labels."""
    (scheduler_folder / "slow.yaml").write_text("name: smoothed\nbase: risk_parity\nlabel: slow\n")
    ran = barstep(*SCHEDULER, "--axis", "capital_policy=equal_weight,slow.yaml", "--by", "trades", "--json")
    document = json.loads(ran.out)
    assert ran.code == 0
    assert {row["capital_policy"] for row in document["best"]} == {"equal_weight", "slow"}
    assert document["strategy"] == "core_multi"
    assert document["policies"]["slow"]["base"] == {"name": "risk_parity", "label": "", "rebalance_seconds": None}


def test_sweep_alone_says_what_there_is(barstep: Run) -> None:
    """`run` and `show`; help is no error."""
    ran = barstep("sweep", "--help")
    assert ran.code == 0
    assert "show" in ran.out
    assert barstep("sweep").code == 2


def test_ctrl_c_keeps_what_is_done(tmp_path: Path, hours: Path) -> None:
    """A process that is interrupted says where its rows are, and exits with 130; it is not finished."""
    axes = ("--axis", "lookback=10:200:1", "--axis", "fee_bps=0:99:1", "--axis", "entry_zscore=1.2,1.5,1.8")
    folder = tmp_path / "s"
    command = [sys.executable, "-m", "barstep", "sweep", "mean_reversion", str(hours), *axes, "--output", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            wait_for(lambda: list(folder.glob("parts/*.parquet")) or running.poll() is not None)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert (running.returncode, out) == (130, "")
    assert f"stopped: the rows that are done are in {folder}; --resume goes on" in err
    assert "Traceback" not in err
    ended = subprocess.run(
        [sys.executable, "-m", "barstep", "sweep", "show", str(folder)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 3
    assert "the sweep is not finished" in ended.stderr

"""`barstep audit`: verdicts, exit codes, tables and documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from barstep.data.presets import EMBEDDED_FOLDER

LEAKING = """
import numpy as np
from barstep.engine.strategy import StrategyEngine


def kernel(bars, params, carry, out, start, stop, at):
    out[:, at : at + stop - start] = 0.0
    ahead = np.minimum(np.arange(start, stop) + 1, bars.shape[1] - 1)
    out[0, at : at + stop - start] = bars[3, ahead] > bars[3, start:stop]


ENGINE = StrategyEngine(name="leaking", kernel=kernel, parameters=(), carry_size=1, diagnostics=(), history=lambda _: 1)
"""


def test_an_honest_engine_passes(barstep: Any) -> None:
    """The embedded dataset is the default, and the exit code is 0."""
    ran = barstep("audit", "lookahead", "--strategy", "mean_reversion", "--set", "lookback=24", "--cuts", "3")
    assert ran.code == 0
    assert "mean_reversion, binance_BTCUSDT_1h: 17,544 bars" in ran.out
    assert ran.out.endswith("pass: nothing that was known moved\n")


def test_a_leaking_engine_exits_1(barstep: Any, tmp_path: Path) -> None:
    """The table names the output, the row, both values and what moved it; the document has the same."""
    engine = tmp_path / "leaking.py"
    engine.write_text(LEAKING)
    words = ("audit", "lookahead", "--strategy", "leaking", "--engine-file", engine, "--cuts", "3")
    ran = barstep(*words)
    assert ran.code == 1
    assert "outputs: target" in ran.out
    assert ran.out.splitlines()[-1].endswith(" outputs moved with the future")
    ran = barstep(*words, "--json")
    document = json.loads(ran.out)
    assert ran.code == 1
    assert document["verdict"] == "fail"
    (leak,) = [leak for leak in document["reports"]["binance_BTCUSDT_1h"]["leaks"] if leak["track"] == "outputs"]
    assert leak["column"] == "target"
    assert leak["difference"] == 1.0
    assert "bar_by_bar" in leak["changes"]


def test_several_datasets_have_a_report_each(barstep: Any) -> None:
    """Reports are told apart by the names of the files."""
    files = [EMBEDDED_FOLDER / f"binance_{name}_1h.parquet" for name in ("ETHUSDT", "SOLUSDT")]
    data = [word for file in files for word in ("--data", file)]
    ran = barstep("audit", "lookahead", "--strategy", "sma_crossover", "--cuts", "2", "--json", *data)
    assert list(json.loads(ran.out)["reports"]) == ["binance_ETHUSDT_1h", "binance_SOLUSDT_1h"]


def test_a_pair_has_both_embedded_venues(barstep: Any) -> None:
    """An engine that trades two venues is audited over both without a word."""
    assert barstep("audit", "lookahead", "--strategy", "cross_exchange_arbitrage", "--cuts", "2").code == 0


def test_a_scheduler_passes(barstep: Any) -> None:
    """A whole configuration is audited by its decisions, weights, fills and equity."""
    ran = barstep("audit", "lookahead", "--scheduler", "hedged_multi", "--end", "2023-02-01", "--cuts", "2")
    assert ran.code == 0
    assert ran.out.startswith("hedged_multi in demo, hedged_multi: 744 bars")


def test_warming_up_is_told_by_output(barstep: Any) -> None:
    """Outputs that need more than is declared fail, and a declaration that is long enough passes."""
    words = ("audit", "warmup", "--strategy", "mean_reversion", "--starts", "4")
    ran = barstep(*words)
    assert ran.code == 1
    assert "zscore" in ran.out
    assert "fail: 1 of 4 outputs need more bars than are declared, within 1e-06; the most is " in ran.out
    assert barstep(*words, "--warmup-bars", "400").code == 0


def test_warming_up_as_a_document(barstep: Any) -> None:
    """Lengths stand by tolerance, with what is declared and needed."""
    ran = barstep("audit", "warmup", "--scheduler", "core_multi", "--starts", "1", "--end", "2023-05-01", "--json")
    (report,) = json.loads(ran.out)["reports"].values()
    row = report["rows"][0]
    assert set(row["history_bars"]) == {"1e-06", "1e-09", "exact"}
    assert row["needed_bars"] == row["history_bars"]["1e-06"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "an engine or a scheduler is needed"),
        (("--strategy", "mean_reversion", "--scheduler", "core_multi"), "--strategy is for the audit of an engine"),
        (("--strategy", "mean_revision"), "Did you mean 'mean_reversion'?"),
        (("--strategy", "mean_reversion", "--set", "seed=3"), "unknown parameter of mean_reversion 'seed'"),
        (("--scheduler", "core_mult"), "Did you mean 'core_multi'?"),
    ],
)
def test_wrong_use_exits_2(barstep: Any, words: tuple[str, ...], said: str) -> None:
    """Each refusal is one line that says what is allowed."""
    for audit in ("lookahead", "warmup"):
        ran = barstep("audit", audit, *words)
        assert ran.code == 2
        assert said in ran.err


def test_unreadable_data_exits_3(barstep: Any, tmp_path: Path) -> None:
    """A file that is no dataset cannot be audited."""
    (tmp_path / "no.parquet").write_text("no")
    assert barstep("audit", "lookahead", "--strategy", "sma_crossover", "--data", tmp_path / "no.parquet").code == 3

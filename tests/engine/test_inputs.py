"""What a result was made from: what is asked of a caller, and what is saved beside the bars."""

from __future__ import annotations

import hashlib
from pathlib import Path

import barstep as bs
import numpy as np
import polars as pl
import pytest
from barstep.config.digest import content_sha384
from barstep.config.reading import PACKAGED, read_config
from barstep.data.presets import EMBEDDED_FOLDER
from barstep.engine.bars import Bars
from barstep.engine.funding import funding_by_bar
from barstep.engine.inputs import plain

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "donchian.py"


@pytest.fixture(scope="module")
def bars() -> Bars:
    """A thousand minutes and more."""
    return bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")


def _funding(bars: Bars) -> pl.DataFrame:
    times = pl.Series("timestamp", bars.times[100:1000:300]).dt.replace_time_zone("UTC")
    return pl.DataFrame([times, pl.Series("rate", [1e-4, -2e-4, 3e-4])])


def test_an_engine_of_barstep_needs_nothing_beside(bars: Bars) -> None:
    """Its name, parameters and options stand in the document already."""
    inputs = bs.backtest(bars, "mean_reversion").inputs
    assert inputs.run == {"kind": "backtest", "engines": []}
    assert dict(inputs.files) == {}


def test_funding_is_saved_as_it_is_given(bars: Bars) -> None:
    """The table that is saved lays the same rates onto the same bars."""
    given = _funding(bars)
    saved = bs.backtest(bars, "mean_reversion", funding=given).inputs.files["funding/0.parquet"]
    assert isinstance(saved, pl.DataFrame)
    np.testing.assert_array_equal(funding_by_bar(bars, saved), funding_by_bar(bars, given))


def test_wishes_of_ones_own_are_saved(bars: Bars) -> None:
    """Without an engine the wishes are what was asked for."""
    wishes = (bars.close > bars.open).astype(float)
    saved = bs.backtest(bars, wishes).inputs.files["wishes.parquet"]
    assert isinstance(saved, pl.DataFrame)
    np.testing.assert_array_equal(saved["wish"].to_numpy(), wishes)


def test_the_text_of_an_engine_file_is_saved(bars: Bars) -> None:
    """With where it came from and its digest, under a name that begins with it."""
    catalog = bs.DEFAULT_STRATEGY_CATALOG.with_file(EXAMPLE)
    inputs = bs.backtest(bars, "donchian", catalog=catalog).inputs
    digest = hashlib.sha384(EXAMPLE.read_bytes()).hexdigest()
    name = f"engines/{digest[:8]}_donchian.py"
    assert inputs.run["engines"] == [{"name": "donchian", "file": name, "from": str(EXAMPLE), "sha384": digest}]
    assert inputs.files == {name: EXAMPLE.read_bytes()}


def test_the_text_is_that_which_was_run(bars: Bars, tmp_path: Path) -> None:
    """A file that is changed or removed after it was run is saved as it was."""
    own = tmp_path / "own.py"
    own.write_bytes(EXAMPLE.read_bytes().replace(b'"donchian"', b'"own"'))
    written = own.read_bytes()
    result = bs.backtest(bars, "own", catalog=bs.DEFAULT_STRATEGY_CATALOG.with_file(own))
    own.unlink()
    assert list(result.inputs.files.values()) == [written]


def test_a_portfolio_says_what_was_asked(bars: Bars) -> None:
    """Strategies with their shares and options; or a table, as a frame or as an array."""
    both = [bars, bs.load(EMBEDDED_FOLDER / "binance_BTCUSDT_1m.parquet")]
    both[1] = Bars.from_arrays(bars.ts_us, *bars.values[:5], interval_seconds=60, symbol="OTHER")
    plan = [bs.Allocation(strategy="mean_reversion", weight=0.5, parameters={"lookback": np.int64(20)}, tag="mean")]
    inputs = bs.portfolio(both, plan, fee_bps=5.0, by_instrument={"OTHER": {"fee_bps": 1.0}}).inputs
    assert inputs.run["plan"] == "strategies"
    assert inputs.run["options"] == {"fee_bps": 5.0}
    assert inputs.run["by_instrument"] == {"OTHER": {"fee_bps": 1.0}}
    assert inputs.run["allocations"][0]["parameters"] == {"lookback": 20}
    weights = np.full((len(bars), 2), 0.3)
    inputs = bs.portfolio(both, weights, every=60).inputs
    assert (inputs.run["plan"], inputs.run["every"]) == ("array", 60)
    assert inputs.files["plan.parquet"].equals(pl.DataFrame({"0": weights[:, 0], "1": weights[:, 1]}))  # type: ignore[union-attr, arg-type]


def test_a_scheduler_has_its_configuration_and_earlier_bars(tmp_path: Path) -> None:
    """The text reads back to the same configuration, and the bars before the start are there."""
    result = bs.backtest_scheduler(PACKAGED, "hedged_multi", start="2023-02-01", end="2023-02-08")
    text = result.inputs.files["core.yaml"]
    assert isinstance(text, bytes)
    (tmp_path / "core.yaml").write_bytes(text)
    read = read_config(tmp_path / "core.yaml")
    assert not read.errors
    assert content_sha384(read.config) == result.to_dict()["config_sha384"]
    earlier = result.inputs.files["earlier/0.parquet"]
    assert isinstance(earlier, pl.DataFrame)
    assert earlier.height == 31 * 24
    assert result.inputs.run["start"] == "2023-02-01T00:00:00.000000Z"
    assert result.inputs.run["config"] == str(PACKAGED)
    whole = bs.backtest_scheduler(PACKAGED, "hedged_multi", end="2023-02-08").inputs.files
    assert not [name for name in whole if name.startswith("earlier")]


def test_numbers_of_numpy_become_plain() -> None:
    """At any depth, tuples and paths too."""
    given = {"a": (np.int64(3), [np.float64(0.5)]), "b": Path("x"), "c": None}
    assert plain(given) == {"a": [3, [0.5]], "b": "x", "c": None}
    assert type(plain(given)["a"][0]) is int

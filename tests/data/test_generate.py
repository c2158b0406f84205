"""Synthetic markets follow from their seed and look like markets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from barstep.data.check import check_bars
from barstep.data.dataset import read_dataset
from barstep.data.generate import InstrumentSpec, MarketSpec, VenueSpec, generate_market, utc_day
from barstep.data.presets import custom_spec, embedded_datasets, embedded_readme, embedded_spec, file_name
from barstep.data.resample import resample
from barstep.errors import UsageError

EMBEDDED = Path(__file__).resolve().parents[2] / "data" / "backtests" / "normalized"

SPEC = MarketSpec(
    seed=7,
    start=utc_day(2024, 1, 1),
    end=utc_day(2024, 1, 21),
    interval_seconds=300,
    instruments=(InstrumentSpec(symbol="A", start_price=100.0), InstrumentSpec(symbol="B", start_price=5.0)),
    venues=(VenueSpec(name="lead"), VenueSpec(name="lag", delay_seconds=600, basis_bps=12.0)),
)


def returns(frame: pl.DataFrame) -> np.ndarray:
    return np.diff(np.log(frame["close"].to_numpy()))


def test_the_same_seed_gives_the_same_bars() -> None:
    """Two draws of one specification are equal to the last bit, and another seed is another market."""
    first, again, other = (generate_market(spec) for spec in (SPEC, SPEC, replace(SPEC, seed=8)))
    assert list(first) == [("lead", "A"), ("lead", "B"), ("lag", "A"), ("lag", "B")]
    for key, dataset in first.items():
        assert dataset.digest == again[key].digest
        assert dataset.digest != other[key].digest


def test_a_part_does_not_depend_on_the_rest() -> None:
    """One instrument on one venue is the same with and without the others."""
    whole = generate_market(SPEC)
    part = generate_market(SPEC, only=[("lag", "B")])
    alone = generate_market(replace(SPEC, instruments=SPEC.instruments[1:], venues=SPEC.venues[1:]))
    assert list(part) == [("lag", "B")]
    assert part["lag", "B"].digest == whole["lag", "B"].digest == alone["lag", "B"].digest


def test_bars_are_without_fault() -> None:
    """Generated bars are in order, possible, on ticks, and every one has a volume."""
    for dataset in generate_market(SPEC).values():
        assert check_bars(dataset.frame, 300) == []
        assert dataset.frame["volume"].min() > 0  # type: ignore[operator]
        ticks = dataset.frame["high"].to_numpy() * 100
        assert np.abs(ticks - np.round(ticks)).max() < 1e-6


def test_longer_bars_are_the_joined_shorter_ones() -> None:
    """The hours of a market are its five minutes, joined."""
    key = ("lead", "A")
    short = generate_market(SPEC, only=[key])[key]
    hours = generate_market(replace(SPEC, interval_seconds=3600), only=[key])[key].frame
    joined = resample(short, 3600).dataset.frame
    assert joined.drop("volume").equals(hours.drop("volume"))
    np.testing.assert_allclose(joined["volume"].to_numpy(), hours["volume"].to_numpy(), rtol=1e-9)


def test_instruments_and_venues_move_together() -> None:
    """Instruments share the factor, venues share the price, and the second venue follows the first."""
    market = {key: returns(dataset.frame) for key, dataset in generate_market(SPEC).items()}
    lead, lag = market["lead", "A"], market["lag", "A"]
    assert np.corrcoef(lead, market["lead", "B"])[0, 1] > 0.3
    assert np.corrcoef(lead, lag)[0, 1] > 0.3
    follows = np.corrcoef(lead[:-1], lag[1:])[0, 1]
    leads = np.corrcoef(lag[:-1], lead[1:])[0, 1]
    assert follows > 0.2 > abs(leads)


def test_the_basis_between_venues_reverts() -> None:
    """The basis is some tens of basis points wide and has a mean near zero."""
    market = generate_market(embedded_spec(), only=[("binance", "ETHUSDT"), ("kraken", "ETHUSDT")])
    closes = [dataset.frame["close"].to_numpy() for dataset in market.values()]
    basis_bps = (closes[1] / closes[0] - 1) * 1e4
    assert 20 < np.quantile(np.abs(basis_bps), 0.95) < 50
    assert abs(basis_bps.mean()) < 3


def test_the_embedded_files_are_rebuilt_to_their_digests() -> None:
    """The committed files are what their seed gives, and two years of hours lack none."""
    datasets = embedded_datasets()
    assert len(datasets) == 7
    for name, dataset in datasets.items():
        assert dataset.digest == read_dataset(EMBEDDED / name).info.digest, name
        assert dataset.frame.height == (17_544 if name.endswith("_1h.parquet") else 44_640)
    assert embedded_readme(datasets) == (EMBEDDED / "README.md").read_text()


def test_the_embedded_files_are_small_and_whole() -> None:
    """All embedded files read, have nothing wrong with them, and stay within three mebibytes."""
    paths = sorted(EMBEDDED.glob("*.parquet"))
    assert len(paths) == 7
    assert sum(path.stat().st_size for path in paths) <= 3 * 2**20
    for path in paths:
        dataset = read_dataset(path)
        assert path.name == file_name(dataset)
        assert check_bars(dataset.frame, dataset.info.interval_seconds) == []


def test_a_custom_market_takes_any_name() -> None:
    """Known instruments keep their character, others get an ordinary one, and the first venue leads."""
    spec = custom_spec(
        seed=1, symbols=["BTCUSDT", "XYZ"], venues=["a", "b"], start=utc_day(2024, 1, 1), end=utc_day(2024, 1, 2),
        interval_seconds=3600,
    )  # fmt: skip
    assert [instrument.start_price for instrument in spec.instruments] == [16_500.0, 100.0]
    assert [venue.delay_seconds > 0 for venue in spec.venues] == [False, True]
    assert len(generate_market(spec)) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interval_seconds": 90}, "multiple of 60"),
        ({"end": utc_day(2024, 1, 1)}, "no whole number"),
        ({"seed": -1}, "seed -1"),
        ({"interval_seconds": 7 * 3600}, "no whole number|no multiple"),
        ({"start": utc_day(2024, 1, 1).replace(tzinfo=None)}, "time zone"),
    ],
)
def test_a_wrong_market_is_refused(change: dict[str, object], message: str) -> None:
    """What cannot be drawn is wrong use."""
    with pytest.raises(UsageError, match=message):
        replace(SPEC, **change)  # type: ignore[arg-type]


def test_an_unknown_market_is_refused() -> None:
    """A pair that is not in the market is named with the nearest."""
    with pytest.raises(UsageError, match="Did you mean 'lead_A'"):
        generate_market(SPEC, only=[("leed", "A")])

"""Ready markets: the embedded sample datasets, and the instruments and venues that a generated market is built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from .dataset import Dataset, frame_digest
from .durations import HOUR, MINUTE, format_interval
from .generate import InstrumentSpec, Key, MarketSpec, VenueSpec, generate_market, utc_day

EMBEDDED_SEED = 13
EMBEDDED_FOLDER = Path(__file__).resolve().parent / "backtests" / "normalized"

INSTRUMENTS = (
    InstrumentSpec(
        symbol="BTCUSDT", start_price=16_500.0, factor_share=1.0, own_volatility=0.15, swing=0.007, ticks_per_unit=10,
        daily_volume=24_000.0,
    ),
    InstrumentSpec(
        symbol="ETHUSDT", start_price=1_200.0, factor_share=1.1, own_volatility=0.25, swing=0.01, ticks_per_unit=100,
        daily_volume=300_000.0,
    ),
    InstrumentSpec(
        symbol="SOLUSDT", start_price=24.0, factor_share=1.3, own_volatility=0.45, swing=0.014, ticks_per_unit=1_000,
        daily_volume=3_000_000.0,
    ),
)  # fmt: skip
VENUES = (
    VenueSpec(name="binance"),
    VenueSpec(name="kraken", delay_seconds=6 * MINUTE, basis_bps=12.0, noise_bps=1.0, volume_share=0.12),
)

_MINUTE_KEY: Key = ("binance", "BTCUSDT")


def embedded_spec(interval_seconds: int = HOUR) -> MarketSpec:
    """The market of the embedded datasets: 2023 and 2024, three instruments on two venues."""
    return MarketSpec(
        seed=EMBEDDED_SEED,
        start=utc_day(2023, 1, 1),
        end=utc_day(2025, 1, 1),
        interval_seconds=interval_seconds,
        instruments=INSTRUMENTS,
        venues=VENUES,
    )


def embedded_datasets() -> dict[str, Dataset]:
    """The embedded datasets by file name: hours of two years, and the minutes of January 2024 of one of them."""
    hours = generate_market(embedded_spec())
    datasets = {file_name(dataset): dataset for dataset in hours.values()}
    minutes = generate_market(embedded_spec(MINUTE), only=[_MINUTE_KEY])[_MINUTE_KEY]
    january = cut(minutes, utc_day(2024, 1, 1), utc_day(2024, 2, 1))
    return {**datasets, file_name(january): january}


def custom_spec(
    *, seed: int, symbols: Sequence[str], venues: Sequence[str], start: datetime, end: datetime, interval_seconds: int
) -> MarketSpec:
    """A market of one's own: known symbols and venues keep their character, others get an ordinary one.

    The first venue leads, each further one lags and has a basis.
    """
    known = {instrument.symbol: instrument for instrument in INSTRUMENTS}
    lagging = VENUES[1]
    return MarketSpec(
        seed=seed,
        start=start,
        end=end,
        interval_seconds=interval_seconds,
        instruments=tuple(known.get(name, InstrumentSpec(symbol=name, start_price=100.0)) for name in symbols),
        venues=tuple(
            VenueSpec(name=name) if position == 0 else replace(lagging, name=name)
            for position, name in enumerate(venues)
        ),
    )


def embedded_readme(datasets: Mapping[str, Dataset]) -> str:
    """The text that stands beside the embedded datasets."""
    rows = [
        f"| `{name}` | {dataset.frame.height:,} | {dataset.frame['timestamp'][0]:%Y-%m-%d} | `{dataset.digest}` |"
        for name, dataset in sorted(datasets.items())
    ]
    lines = [
        "# Embedded datasets",
        "",
        f"Synthetic bars from `barstep data generate --preset embedded` (seed {EMBEDDED_SEED}), not recorded ones.",
        "Three instruments move together on two venues: `binance` leads, `kraken` lags and has a basis of some",
        "20 to 40 basis points that reverts. The minutes belong to the hours: resampled to 1h they are the same bars.",
        "`docs/data-formats.md` describes the format and the generator.",
        "",
        "| file | bars | first day | digest (SHA-384) |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def cut(dataset: Dataset, start: datetime, end: datetime) -> Dataset:
    """The bars that open from `start` on and before `end`."""
    inside = (pl.col("timestamp") >= start) & (pl.col("timestamp") < end)
    frame = dataset.frame.filter(inside).rechunk()
    return Dataset(frame, replace(dataset.info, digest=frame_digest(frame)))


def file_name(dataset: Dataset) -> str:
    """The usual name of a dataset's file: `binance_BTCUSDT_1h.parquet`."""
    info = dataset.info
    symbol = info.symbol.replace("/", "-").replace(":", "-")  # BTC/USDT:USDT is no name of a file
    return f"{info.venue}_{symbol}_{format_interval(info.interval_seconds)}.parquet"

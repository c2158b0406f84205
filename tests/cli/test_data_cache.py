"""`barstep data cache`, and the commands that read a SQLite cache where they read files and folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import barstep as bs
import pytest
from barstep.config.reading import PACKAGED
from barstep.data.dataset import read_dataset, write_dataset
from barstep.data.presets import EMBEDDED_FOLDER
from msgspec.structs import replace

Barstep = Callable[..., "Ran"]  # noqa: F821 - tests.cli.conftest


@pytest.fixture
def cached(barstep: Barstep, tmp_path: Path) -> Path:
    """The embedded hours in a cache, made by the command."""
    file = tmp_path / "cache.sqlite"
    assert barstep("data", "cache", "--to", file, *sorted(EMBEDDED_FOLDER.glob("*_1h.parquet"))).code == 0
    return file


def test_bars_are_put_in_and_told(barstep: Barstep, tmp_path: Path, hours: Path) -> None:
    """One line a dataset; newer bars join those that are there."""
    file, older = tmp_path / "cache.sqlite", tmp_path / "older.parquet"
    dataset = read_dataset(hours)
    write_dataset(dataset.frame[:1000], dataset.info, older)
    assert barstep("data", "cache", "--to", file, older).out == (
        f"{file}/binance_BTCUSDT_1h: 1,000 bars added, 1,000 in all, 2023-01-01T00:00:00Z to 2023-02-11T15:00:00Z, "
        f"digest {read_dataset(file).digest[:16]}\n"
    )
    document = json.loads(barstep("data", "cache", "--to", file, hours, "--json").out)
    (row,) = document["datasets"]
    assert document["cache"] == str(file)
    assert (row["name"], row["added"], row["replaced"], row["rows"]) == ("binance_BTCUSDT_1h", 16_544, 0, 17_544)
    assert row["digest"] == dataset.digest == read_dataset(file).digest


def test_other_values_take_overwrite(barstep: Barstep, tmp_path: Path, hours: Path) -> None:
    """Without it the command exits with 3 and says how many differ; with it, it says how many were replaced."""
    file, other = tmp_path / "cache.sqlite", tmp_path / "other.parquet"
    dataset = read_dataset(hours)
    write_dataset(dataset.frame.with_columns(volume=dataset.frame["volume"] + 1.0)[:5], dataset.info, other)
    barstep("data", "cache", "--to", file, hours)
    refused = barstep("data", "cache", "--to", file, other)
    assert refused.code == 3
    assert "5 bars of binance BTCUSDT differ from those that are there" in refused.err
    assert "0 bars added, 5 replaced, 17,544 in all" in barstep("data", "cache", "--to", file, other, "--overwrite").out


@pytest.mark.parametrize("name", ["cache.db", "cache", "cache.parquet"])
def test_a_cache_ends_in_sqlite(barstep: Barstep, tmp_path: Path, hours: Path, name: str) -> None:
    """By that it is told from a folder; another name is refused and nothing is written."""
    ran = barstep("data", "cache", "--to", tmp_path / name, hours)
    assert (ran.code, list(tmp_path.iterdir())) == (2, [])
    assert "the name of a cache ends in .sqlite" in ran.err


def test_info_lists_a_cache(barstep: Barstep, cached: Path) -> None:
    """Its datasets by name; a path into it tells one as a file is told."""
    lines = barstep("data", "info", cached).out.splitlines()
    assert lines[0] == f"{cached}: 6 datasets"
    assert lines[1].startswith("binance_BTCUSDT_1h: 17,544 bars, 2023-01-01T00:00:00Z to 2024-12-31T23:00:00Z, digest")
    document = json.loads(barstep("data", "info", cached, "--json").out)
    assert [row["name"] for row in document["datasets"]] == [line.split(":")[0] for line in lines[1:]]
    one = json.loads(barstep("data", "info", cached / "kraken_SOLUSDT_1h", "--json").out)
    file = json.loads(barstep("data", "info", EMBEDDED_FOLDER / "kraken_SOLUSDT_1h.parquet", "--json").out)
    assert {**one, "file": "", "file_bytes": 0} == {**file, "file": "", "file_bytes": 0}
    assert one["file_bytes"] == cached.stat().st_size


def test_commands_read_a_cache_as_files(barstep: Barstep, cached: Path) -> None:
    """A check, a resample beside the cache, and a backtest of a dataset of it."""
    assert barstep("data", "check", cached / "binance_ETHUSDT_1h").code == 0
    assert barstep("data", "resample", cached / "binance_ETHUSDT_1h", "--interval", "4h").code == 0
    assert read_dataset(cached.with_name("binance_ETHUSDT_4h.parquet")).frame.height == 4386
    mine, theirs = (
        json.loads(barstep("backtest", "sma_crossover", path, "--json").out)
        for path in (cached / "binance_ETHUSDT_1h", EMBEDDED_FOLDER / "binance_ETHUSDT_1h.parquet")
    )
    assert mine == theirs


def test_an_environment_s_feed_may_be_a_cache(cached: Path) -> None:
    """A scheduler's backtest is the same, bit for bit."""
    config = bs.load_core_config(PACKAGED)
    demo = replace(config.environments["demo"], feed=str(cached))
    other = replace(config, environments={**config.environments, "demo": demo})
    mine, theirs = (bs.backtest_scheduler(one, "hedged_multi", end="2023-03-01") for one in (other, config))
    assert mine.decisions.height
    assert mine.decisions.equals(theirs.decisions)
    assert mine.equity.equals(theirs.equity)

"""`barstep data …` does what it says, in tables and in JSON, and writes nothing by halves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from barstep.cli.data import app
from barstep.data.dataset import read_dataset, write_dataset
from barstep.data.generate import InstrumentSpec, MarketSpec, VenueSpec, generate_market, utc_day
from barstep.data.repair import POLICIES
from barstep.errors import DataError, UsageError
from typer.testing import CliRunner

CSV = (
    "date,open,high,low,close,volume\n2024-01-01 00:00:00,1,2,0.5,1.5,10\n2024-01-01 01:00:00,1.5,2,1,1.2,11\n"
    "2024-01-01 02:00:00,1.5,1.4,1,1.2,11\n2024-01-01 03:00:00,1.2,2,1,1.2,11\n"
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A vendor's file with one impossible bar."""
    path = tmp_path / "BINANCE_BTCUSDT_1h.csv"
    path.write_text(CSV)
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A day of generated minutes."""
    spec = MarketSpec(
        seed=1, start=utc_day(2024, 1, 1), end=utc_day(2024, 1, 2), interval_seconds=60,
        instruments=(InstrumentSpec(symbol="A", start_price=10.0),), venues=(VenueSpec(name="v"),),
    )  # fmt: skip
    (made,) = generate_market(spec).values()
    write_dataset(made.frame, made.info, tmp_path / "v_A_1m.parquet")
    return tmp_path / "v_A_1m.parquet"


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def run_json(*words: object, code: int = 0) -> dict[str, Any]:
    document = json.loads(run(*words, "--json", code=code))
    assert isinstance(document, dict)
    return document


def test_import_writes_a_dataset(source: Path, tmp_path: Path) -> None:
    """A vendor's file becomes a dataset of the usual name in the folder, and the findings are printed."""
    text = run("import", source, "--output", tmp_path / "made")
    assert "bar-label-assumed" in text
    assert "impossible-ohlc" in text
    written = read_dataset(tmp_path / "made" / "binance_BTCUSDT_1h.parquet")
    assert (written.frame.height, written.info.source) == (4, source.name)


def test_import_speaks_json(source: Path, tmp_path: Path) -> None:
    """One JSON document holds the format, the dataset's facts and every finding."""
    document = run_json("import", source, "-o", tmp_path / "x.parquet", "--column", "close=open", "--symbol", "ABC")
    assert document["format"] == "csv by column mapping"
    assert document["dataset"]["symbol"] == "ABC"
    assert document["dataset"]["digest"] == read_dataset(tmp_path / "x.parquet").digest
    assert {finding["code"] for finding in document["findings"]} >= {"time-zone-assumed", "impossible-ohlc"}


def test_import_joins_files(tmp_path: Path) -> None:
    """Several files of one instrument become one dataset."""
    head, *rows = CSV.splitlines(keepends=True)
    paths = [tmp_path / "BINANCE_X_1h.csv", tmp_path / "sub" / "BINANCE_X_1h.csv"]
    paths[1].parent.mkdir()
    paths[0].write_text(head + "".join(rows[:2]))
    paths[1].write_text(head + "".join(rows[2:]))
    run("import", *paths, "-o", tmp_path / "x.parquet")
    assert read_dataset(tmp_path / "x.parquet").frame.height == 4


def test_nothing_is_overwritten_unasked(source: Path, tmp_path: Path) -> None:
    """A file that is there stays, unless overwriting is asked for."""
    target = tmp_path / "x.parquet"
    target.write_text("precious")
    with pytest.raises(UsageError, match="--overwrite"):
        run("import", source, "-o", target)
    assert target.read_text() == "precious"
    run("import", source, "-o", target, "--overwrite")
    assert read_dataset(target).frame.height == 4


def test_a_bad_file_writes_nothing(tmp_path: Path) -> None:
    """When one of several files is bad nothing is written at all."""
    good, bad = tmp_path / "BINANCE_X_1h.csv", tmp_path / "BINANCE_Y_1h.csv"
    good.write_text(CSV)
    bad.write_text(CSV.replace("0.5", "cheap"))
    with pytest.raises(DataError, match="'cheap' is not a number"):
        run("import", good, bad, "-o", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_check_says_no_by_its_exit_code(source: Path, dataset: Path) -> None:
    """A check that finds errors exits with 1, one that finds none with 0."""
    assert run_json("check", dataset)["ok"] is True
    document = run_json("check", source, code=1)
    assert document["ok"] is False
    (impossible,) = [finding for finding in document["findings"] if finding["code"] == "impossible-ohlc"]
    assert impossible["locations"] == ["2024-01-01T02:00:00Z"]
    assert "impossible-ohlc" in run("check", source, code=1)


def test_check_takes_the_present_from_its_user(dataset: Path) -> None:
    """Bars after a given present are unfinished."""
    document = run_json("check", dataset, "--now", "2024-01-01T23:59:30Z", code=1)
    assert document["findings"][0]["locations"] == ["2024-01-01T23:59:00Z"]


def test_repairs_go_to_another_file(source: Path, tmp_path: Path) -> None:
    """Repaired bars are written beside the original, which stays, and what was changed is told and noted."""
    before = source.read_bytes()
    document = run_json("check", source, "--repair", "clip-ohlc,sort")
    assert source.read_bytes() == before
    assert [repair["code"] for repair in document["repairs"]] == ["sort", "clip-ohlc"]
    repaired = read_dataset(tmp_path / "BINANCE_BTCUSDT_1h.repaired.parquet")
    assert repaired.info.notes[-1].startswith("clip-ohlc: 1 bar widened")
    assert "After the repairs" in run("check", source, "--repair", "clip-ohlc", "-o", tmp_path / "y.parquet")


def test_the_original_is_only_replaced_when_asked(dataset: Path) -> None:
    """Output equal to the input needs --overwrite."""
    with pytest.raises(UsageError, match="--overwrite"):
        run("check", dataset, "--repair", "sort", "-o", dataset)
    run("check", dataset, "--repair", "sort", "-o", dataset, "--overwrite")


def test_help_lists_every_repair() -> None:
    """The help names the repairs that there are."""
    result = CliRunner().invoke(app, ["check", "--help"], env={"COLUMNS": "300", "TERM": "dumb"})
    text = "".join(result.stdout.split())  # a long line may be broken at a hyphen
    assert all(name in text for name in POLICIES)


def test_generate_is_repeatable(tmp_path: Path) -> None:
    """Two runs with one seed write the same bars, one file for each instrument on each venue."""
    words = ("generate", "--seed", 3, "--symbols", "A,B", "--venues", "v,w", "--end", "2024-01-03", "--interval", "5m")
    first = run_json(*words, "-o", tmp_path / "one")
    again = run_json(*words, "-o", tmp_path / "two")
    digests = [[made["dataset"]["digest"] for made in document["files"]] for document in (first, again)]
    assert digests[0] == digests[1]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        "v_A_5m.parquet", "v_B_5m.parquet", "w_A_5m.parquet", "w_B_5m.parquet",
    ]  # fmt: skip


def test_resample_writes_longer_bars(dataset: Path, tmp_path: Path) -> None:
    """Minutes become hours beside the dataset."""
    assert "24 bars" in run("resample", dataset, "--interval", "1h")
    assert read_dataset(tmp_path / "v_A_1h.parquet").info.interval_seconds == 3600
    assert run_json("resample", dataset, "--interval", "7m", "-o", tmp_path / "z.parquet")["findings"]


def test_info_tells_what_a_file_holds(dataset: Path) -> None:
    """Info prints names, span and digest."""
    facts = run_json("info", dataset)
    assert (facts["symbol"], facts["rows"], facts["interval"]) == ("A", 1440, "1m")
    assert facts["digest"][:16] in run("info", dataset)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import", "SOURCE", "--column", "close"], "FIELD=NAME"),
        (["import", "SOURCE", "--label", "middle"], "Allowed: auto, start, end"),
        (["import", "SOURCE", "--interval", "soon"], "not a length of time"),
        (["check", "SOURCE", "--repair", "clip-olhc"], "Did you mean 'clip-ohlc'"),
        (["check", "SOURCE", "--now", "noon"], "--now 'noon' is no time"),
        (["check", "SOURCE", "--output", "x.parquet"], "a check writes nothing"),
        (["generate", "--preset", "embeded"], "Did you mean 'embedded'"),
        (["generate", "--symbols", "../x"], "letters and digits"),
        (["generate", "--interval", "30s"], "multiple of 60"),
    ],
)
def test_wrong_use_is_said(source: Path, words: list[str], message: str) -> None:
    """A wrong option is wrong use, with what is allowed."""
    with pytest.raises(UsageError, match=message):
        run(*[str(source) if word == "SOURCE" else word for word in words])


def test_the_command_module_loads_lightly() -> None:
    """Importing the commands loads neither polars nor numpy, so that help answers at once."""
    code = (
        "import sys, barstep.cli.data; sys.exit(any(name in sys.modules for name in ('polars', 'numpy', 'rich.table')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

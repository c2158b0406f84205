"""A scheduler's report: the same from memory and from its folder, whole, small, and safe."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import barstep as bs
import polars as pl
import pytest
from barstep.config.commands import SuspendSchedule, SuspendTag
from barstep.engine.reasons import DECISION_TEXTS
from barstep.engine.scheduler.result import SchedulerResult
from barstep.report.lanes import AXIS, LANE
from barstep.report.page import page
from barstep.report.printed import printed
from barstep.report.reading import read_sheet
from barstep.report.sheet import sheet_of
from pages import HOSTILE, Reader, script_data
from schedulers import governed, walks


@pytest.fixture(scope="module")
def core_page(core: SchedulerResult) -> str:
    """The page of the packaged scheduler."""
    return page(sheet_of(core))


def test_what_stands_in_it(core: SchedulerResult, core_page: str) -> None:
    """Heading, schedules, policy, interventions, attribution, and why signals were refused."""
    read = Reader(core_page)
    text = " ".join(read.words)
    assert "Scheduler: core_multi " in read.words
    assert "on BTCUSDT, ETHUSDT, SOLUSDT" in read.words, "second legs of pairs are not traded alone"
    assert {"environment", "demo", core.setup.config_digest[:10]} <= set(read.words)
    assert core.setup.config_digest in {attributes.get("title") for _, attributes in read.tags}
    assert "without" not in read.words
    for heading in (
        "What held it back", "Shares of capital", "Profit", "Schedules", "Capital policy", "Interventions",
        "By schedule", "By strategy", "By risk profile", "Where signals went", "Signals by schedule",
    ):  # fmt: skip
        assert any(each.strip() == heading for each in read.words), heading
    for reason in ("suspended", "disabled", "limit"):
        assert DECISION_TEXTS[reason] in read.words
        assert f"{core.signals[reason]:,}" in text
    assert "liquidations" in read.words


def test_what_the_script_draws(core_page: str) -> None:
    """Each chart has its box, areas their columns, each choice its box and its legend."""
    drawn = script_data(core_page)
    read = Reader(core_page)
    boxes = {attributes.get("id") for _, attributes in read.tags}
    names = {"interventions", "capital", "profit_schedule", "profit_risk_profile", "profit_tag"}
    roots = set(drawn["items"][0]["roots"].values())
    assert {f"chart-{name}" for name in names} <= roots <= boxes
    assert drawn["series"]["capital"].keys() == {"x", *(f"height{k}" for k in range(8))}
    chosen = [attributes["value"] for tag, attributes in read.tags if tag == "option"]
    assert chosen == ["chart-profit_schedule", "chart-profit_risk_profile", "chart-profit_tag"]
    assert {f"keys-{name}" for name in chosen} <= boxes
    for k in range(7):
        assert drawn["series"][f"profit_schedule{k}"].keys() == {"x", "y"}


def test_what_was_left_out_stands_in_the_heading() -> None:
    """With the names that leave it out."""
    result = governed(walks(["A"], 40), without=("limits", "governor"))
    assert {"without", "governor, limits"} <= set(Reader(page(sheet_of(result))).words)


def saved_pages(result: SchedulerResult, folder: Path) -> tuple[str, str]:
    """The page of a result, and that of the folder it was saved to."""
    return page(sheet_of(result)), page(read_sheet(result.save(folder)))


def test_both_ways_give_the_same_page(core: SchedulerResult, core_page: str, tmp_path: Path) -> None:
    """What was saved and read again makes the very page and print that the result in memory makes."""
    again = read_sheet(core.save(tmp_path / "out"))
    assert page(again) == core_page
    assert printed(again, "png") == printed(sheet_of(core), "png")


@pytest.mark.parametrize("n", [1, 2, 40])
def test_few_bars_and_no_interventions(tmp_path: Path, n: int) -> None:
    """Too few bars to trade on are a page and a print too, without lanes."""
    result = governed(walks(["A"], n), warmup_bars=60)
    direct, again = saved_pages(result, tmp_path / "out")
    assert direct == again
    assert "chart-interventions" not in direct
    assert "none" in Reader(direct).words
    assert printed(sheet_of(result), "pdf").startswith(b"%PDF")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no profits": (lambda f: (f / "profits.parquet").unlink(), "profits.parquet: cannot be read: no such file"),
    "fewer profits": (
        lambda f: pl.read_parquet(f / "profits.parquet").head(9).write_parquet(f / "profits.parquet"),
        "has 9 rows for 40 bars",
    ),
    "weights of another": (
        lambda f: pl.DataFrame({"time": [], "fast": []}).write_parquet(f / "capital_weights.parquet"),
        "capital_weights.parquet: cannot be read",
    ),
    "no interventions": (lambda f: (f / "interventions.parquet").unlink(), "interventions.parquet: cannot be read"),
    "no schedules": (lambda f: _without(f, "schedules"), "it lacks schedules"),
    "no policy": (lambda f: _without(f, "capital_policy"), "it lacks capital_policy"),
}


def _without(folder: Path, name: str) -> None:
    document = json.loads((folder / "result.json").read_text())
    del document[name]
    (folder / "result.json").write_text(json.dumps(document))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused(tmp_path: Path, damage: str) -> None:
    """A folder that lacks a file, or whose files do not belong together, is refused with the file's name."""
    harm, text = DAMAGES[damage]
    harm(governed(walks(["A"], 40)).save(tmp_path / "out"))
    with pytest.raises(bs.DataError) as caught:
        read_sheet(tmp_path / "out")
    assert text in str(caught.value)
    assert str(tmp_path / "out") in str(caught.value)


def test_the_table_of_decisions_is_not_read(tmp_path: Path) -> None:
    """It may have millions of rows, and the page needs their counts alone."""
    folder = governed(walks(["A"], 40)).save(tmp_path / "out")
    (folder / "decisions.parquet").unlink()
    assert read_sheet(folder).governed is not None


def test_hostile_words_are_text() -> None:
    """Reasons and labels of policies that are written as markup are shown as they are written."""
    text, plain = (page(sheet_of(_told_with(words))) for words in (HOSTILE, "plain"))
    read = Reader(text)
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in Reader(plain).tags]
    assert not any("alert(" in script for script in read.scripts)
    assert HOSTILE in read.words
    assert f"{HOSTILE} (equal_weight)" in read.words


def _told_with(words: str) -> SchedulerResult:
    """A run with these words wherever people may write what they like."""
    command = SuspendTag(at=datetime(2024, 1, 1, 20, tzinfo=UTC), tag="t", reason=words)
    policy = {"name": "equal_weight", "label": words}
    return governed(walks(["A"], 40), commands=[command], capital_policy=policy)


def test_sixty_bands() -> None:
    """Sixty interventions of thirty schedules are a row each, and a lane for each schedule, in print too."""
    names = [f"schedule_{k}" for k in range(30)]
    begin = datetime(2024, 1, 2, tzinfo=UTC)
    commands = [
        SuspendSchedule(at=begin + timedelta(hours=5 * k), schedule=names[k % 30], reason="r", duration_seconds=7200.0)
        for k in range(60)
    ]
    result = governed(walks(["A"], 400), names, commands=commands)
    text = page(sheet_of(result))
    assert sum(bool(re.fullmatch(r"schedule schedule_\d+ suspended", each)) for each in Reader(text).words) == 60
    assert f"min-height:{30 * LANE + AXIS}px" in text
    assert printed(sheet_of(result), "png").startswith(b"\x89PNG")


def test_twenty_schedules_are_small() -> None:
    """20 schedules on 8 instruments of 50,000 bars, with hundreds of thousands of trades, fit 5 MB."""
    result = governed(walks([f"COIN{k}" for k in range(8)], 50_000), [f"schedule_{k:02d}" for k in range(20)])
    assert result.trades.height > 200_000
    text = page(sheet_of(result))
    assert len(text.encode()) <= 5_000_000
    words = " ".join(Reader(text).words)
    assert "12 others" in words
    assert "the 750 trades that gained and lost most are marked" in words


@pytest.mark.parametrize("kind", ["html", "pdf", "png"])
def test_a_scheduler_reports_itself(tmp_path: Path, kind: str) -> None:
    """`result.report` writes what the ending says and returns where."""
    path = tmp_path / "new" / f"sheet.{kind}"
    assert governed(walks(["A"], 40)).report(path) == path
    assert path.read_bytes().startswith({"html": b"<!doctype html>", "pdf": b"%PDF-", "png": b"\x89PNG"}[kind])

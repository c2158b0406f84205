"""A sweep in a folder: stopped at any moment it goes on to the same bytes, and what is not its own is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from barstep.engine.provenance import software
from barstep.engine.seal import FILES, SEAL, sealed
from barstep.engine.sweep.kinds import Rows
from barstep.engine.sweep.result import SweepResult
from barstep.errors import DataError, HeldError, JournalError, UsageError
from barstep.ops import sweep_folder
from barstep.ops.sweep_folder import DOCUMENT, PARTS, TABLE, SweepFolder, read_sweep
from barstep.ops.sweeping import run_planned, sweep

sys.path.insert(0, str(Path(__file__).parent))
from killed_sweep import METRICS, planned, row_by_row, some_bars

SEEDS = int(os.environ.get("SEEDS", "1"))
WORKER = Path(__file__).with_name("killed_sweep.py")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sweep, run without a stop."""
    folder = tmp_path_factory.mktemp("sweeps") / "whole"
    run_planned(planned(), folder=folder, threads=2)
    return folder


def bytes_of(folder: Path) -> bytes:
    return (folder / TABLE).read_bytes()


def stop_after(portions: int) -> Callable[[SweepFolder, Rows], None]:
    """Keeps as many portions, and then is interrupted."""
    left, keep = [portions], SweepFolder.add

    def add(folder: SweepFolder, rows: Rows) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        keep(folder, rows)

    return add


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a sweep that was stopped after five portions of as many rows."""
    plan = planned()
    with monkeypatch.context() as patched:
        patched.setattr(SweepFolder, "add", stop_after(5))
        with pytest.raises(KeyboardInterrupt):
            run_planned(plan, folder=tmp_path / "s", threads=16)
    return tmp_path / "s"


def parts_of(folder: Path) -> list[Path]:
    return sorted((folder / PARTS).glob("*.parquet"))


def resume(folder: Path, **asked: Any) -> SweepResult:
    return run_planned(planned(**asked), folder=folder, resume=True, threads=2)


def test_a_finished_folder_has_two_files(whole: Path) -> None:
    """Its document and its table; anybody may read them."""
    assert sorted(path.name for path in whole.iterdir()) == [DOCUMENT, TABLE]
    assert {path.stat().st_mode & 0o777 for path in whole.iterdir()} == {0o644}


def test_the_table_has_every_row_and_what_it_was_made_from(whole: Path) -> None:
    """Rows, figures and slices of the result in memory, the digests and the versions."""
    saved, plan = read_sweep(whole), planned()
    result = run_planned(plan)
    assert saved.table.select(result.table.columns).equals(result.table, null_equal=True)
    assert saved.table["slice_moments"].to_numpy().tobytes() == result.slice_moments.tobytes()
    assert saved.table["sweep_sha384"].unique().to_list() == [plan.digest] == [saved.document["sweep_sha384"]]
    assert saved.table["strategy"].unique().to_list() == ["sma_crossover"]
    digests = [setup.bars.content_digest for setup in plan.setups for _ in range(40)]
    assert saved.table["data_sha384"].to_list() == digests
    assert {name: saved.table[name].unique().to_list() for name in software()} == {
        name: [value] for name, value in software().items()
    }
    assert (saved.axes, saved.labels, saved.metrics) == (["fast_ma", "allow_short"], ["symbol", "venue"], METRICS)


def test_its_document_is_found_by_itself(whole: Path) -> None:
    """As well as by its folder."""
    assert read_sweep(whole / DOCUMENT).document == read_sweep(whole).document


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_portions_are_not_in_the_bytes(threads: int, whole: Path, tmp_path: Path) -> None:
    """Row by row or all at once."""
    plan = planned()
    run_planned(plan, folder=tmp_path / "s", threads=threads, memory=threads * row_by_row(plan))
    assert bytes_of(tmp_path / "s") == bytes_of(whole)


def test_gone_on_with_it_comes_to_the_same_bytes(stopped: Path, whole: Path) -> None:
    """What was done is not run again, and nothing but the two files is left."""
    assert len(parts_of(stopped)) == 5
    resume(stopped)
    assert bytes_of(stopped) == bytes_of(whole)
    assert sorted(path.name for path in stopped.iterdir()) == [DOCUMENT, TABLE]
    assert (stopped / DOCUMENT).read_bytes() == (whole / DOCUMENT).read_bytes()


def test_rows_that_are_done_are_not_run_again(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the 80 rows is kept once, in the first run or the second."""
    kept = [pl.read_parquet(path)["row"].to_list() for path in parts_of(stopped)]
    keep = SweepFolder.add
    monkeypatch.setattr(
        SweepFolder, "add", lambda self, rows: (kept.append(list(range(rows.start, rows.stop))), keep(self, rows))
    )
    resume(stopped)
    assert sorted(row for rows in kept for row in rows) == list(range(80))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_in_the_middle_no_row_is_lost_or_doubled(seed: int, whole: Path, tmp_path: Path) -> None:
    """A process that gets signal 9 after some rows, again and again, and at last goes on to the end."""
    folder, rng, done = tmp_path / "s", np.random.default_rng(seed), []
    for _ in range(2):
        command = [sys.executable, str(WORKER), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            for _ in range(int(rng.integers(1, 25))):
                done.append(running.stdout.readline())
            running.kill()
            done += running.stdout.readlines()
        assert running.returncode == -9
    rows = [row for line in done for row in range(*map(int, line.split()))]
    assert len(rows) == len(set(rows)) < 80
    assert len(parts_of(folder)) >= len(rows)
    resume(folder)
    assert bytes_of(folder) == bytes_of(whole)


@pytest.mark.parametrize("when", ["table", "document", "parts"])
def test_stopped_at_the_very_end(when: str, stopped: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the table has its name, before the document says so, before the parts are gone."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if when == "table":
            patched.setattr(sweep_folder, "with_provenance", interrupted)
        elif when == "document":
            patched.setattr(sweep_folder, "file_digest", interrupted)
        else:
            patched.setattr(shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resume(stopped)
    if when != "parts":
        with pytest.raises(
            DataError, match=r"the sweep is not finished \(\d+ portions are done\); go on with --resume"
        ):
            read_sweep(stopped)
    resume(stopped)
    assert bytes_of(stopped) == bytes_of(whole)
    assert sorted(path.name for path in stopped.iterdir()) == [DOCUMENT, TABLE]


@pytest.mark.parametrize("left", ["nothing", "parts", "half a document"])
def test_stopped_before_it_began(left: str, whole: Path, tmp_path: Path) -> None:
    """The folder without a document that a kill leaves behind at once is gone on with."""
    folder = tmp_path / "s"
    folder.mkdir()
    if left != "nothing":
        (folder / PARTS).mkdir()
    if left == "half a document":
        (folder / f".{DOCUMENT}.abc.part").write_text("{")
    resume(folder)
    assert bytes_of(folder) == bytes_of(whole)


def test_a_finished_sweep_is_left_as_it_is(whole: Path) -> None:
    """It is read, not run; neither file is written again."""
    before = {path: path.stat().st_mtime_ns for path in whole.iterdir()}
    told = []
    result = run_planned(planned(), folder=whole, resume=True, progress=lambda *cells: told.append(cells))
    assert not told
    assert {path: path.stat().st_mtime_ns for path in whole.iterdir()} == before
    assert result.values.tobytes() == run_planned(planned()).values.tobytes()
    assert result.slice_moments.tobytes() == run_planned(planned()).slice_moments.tobytes()


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to / "copy")
    return to / "copy"


def changed_table(folder: Path) -> None:
    table = pl.read_parquet(folder / TABLE)
    table.with_columns(sharpe=pl.col("sharpe") + 1e-9).write_parquet(folder / TABLE)


def changed_document(folder: Path) -> None:
    path = folder / DOCUMENT
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))


@pytest.mark.parametrize("change", [changed_table, changed_document])
def test_what_was_changed_is_not_read(change: Callable[[Path], None], whole: Path, tmp_path: Path) -> None:
    """Nor sealed anew by going on with it."""
    folder = copied(whole, tmp_path)
    change(folder)
    with pytest.raises(JournalError, match=r"sweep.json or sweep.parquet is not as it was written"):
        read_sweep(folder)
    with pytest.raises((JournalError, UsageError)):
        resume(folder)
    with pytest.raises(JournalError):
        read_sweep(folder)


def test_a_forged_table_with_its_digest_needs_the_seal(whole: Path, tmp_path: Path) -> None:
    """A digest that was changed with the table is not what the document was sealed with; sealed again it is read."""
    folder = copied(whole, tmp_path)
    changed_table(folder)
    document = json.loads((folder / DOCUMENT).read_text())
    files = {TABLE: sweep_folder.file_digest(folder / TABLE)}
    (folder / DOCUMENT).write_text(json.dumps({**document, FILES: files}))
    with pytest.raises(JournalError):
        read_sweep(folder)
    rest = {name: value for name, value in document.items() if name not in (FILES, SEAL)}
    (folder / DOCUMENT).write_text(json.dumps(sealed(rest, files)))
    assert read_sweep(folder).table.height == 80


def garbled(part: Path) -> None:
    part.write_bytes(b"PAR1 is not all of it")


def cut_off(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:-40])


def one_bit(part: Path) -> None:
    """A figure off by its last bit, in a file that is whole."""
    table, kept = pl.read_parquet(part), pl.read_parquet_metadata(part)
    sharpe = np.nextafter(table["sharpe"].to_numpy(), np.inf)
    table.with_columns(sharpe=pl.Series(sharpe)).write_parquet(part, metadata={"rows_sha384": kept["rows_sha384"]})


def of_another_row(part: Path) -> None:
    table, kept = pl.read_parquet(part), pl.read_parquet_metadata(part)
    table.with_columns(row=pl.col("row") + 40).write_parquet(part, metadata={"rows_sha384": kept["rows_sha384"]})


def of_another_sweep(part: Path) -> None:
    """The same rows, metrics and slices; another slow mean."""
    plan = planned(slow_ma=41)
    folder = SweepFolder(part.parents[2] / "other", plan, resume=False, overwrite=False)
    table = pl.read_parquet(part)
    folder.add(Rows(int(table["row"][0]), table.select(METRICS).to_numpy().T, table["slice_moments"].to_numpy()))
    folder.close()
    shutil.copy(parts_of(folder.folder)[0], part)


def of_nothing(part: Path) -> None:
    pl.read_parquet(part).clear().write_parquet(part)


def without_a_metric(part: Path) -> None:
    pl.read_parquet(part).drop("sharpe").write_parquet(part)


@pytest.mark.parametrize(
    "damage", [garbled, cut_off, one_bit, of_another_row, of_another_sweep, of_nothing, without_a_metric]
)
def test_a_part_that_is_not_its_own_is_told(damage: Callable[[Path], None], stopped: Path, whole: Path) -> None:
    """By its name, in one line; without it its rows are run again."""
    part = parts_of(stopped)[2]
    damage(part)
    with pytest.raises((DataError, JournalError), match=part.name) as told:
        resume(stopped)
    assert "\n" not in str(told.value)
    part.unlink()
    resume(stopped)
    assert bytes_of(stopped) == bytes_of(whole)


def test_parts_that_overlap_are_taken_once(stopped: Path, whole: Path) -> None:
    """Portions of another length, as two runs may leave them."""
    plan = planned()
    result = run_planned(plan)
    folder = SweepFolder(stopped, plan, resume=True, overwrite=False)
    for start, stop in ((0, 3), (1, 9), (38, 40), (40, 80)):
        folder.add(Rows(start, result.values[:, start:stop], result.slice_moments[start:stop]))
    folder.close()
    resume(stopped)
    assert bytes_of(stopped) == bytes_of(whole)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"slow_ma": 41}, r'its fixed is \{"slow_ma": 40\}, this one\'s \{"slow_ma": 41\}'),
        ({"axes": {"fast_ma": range(3, 22), "allow_short": [True, False]}}, "its axes is"),
        ({"metrics": ("sharpe",)}, r'its metrics is \["sharpe", "trades", "profit_factor"\], this one\'s \["sharpe"\]'),
        ({"slices": 3}, "its slices is 2, this one's 3"),
        ({"seed": 1}, "its seed is 0, this one's 1"),
        ({"bars": [some_bars(1499), some_bars(1200, "ETH")]}, "its data is"),
    ],
)
def test_another_sweep_is_refused_with_what_differs(asked: dict[str, Any], text: str, stopped: Path) -> None:
    """And nothing of what is there is touched."""
    before = {path: path.read_bytes() for path in stopped.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=f"has another sweep: {text}.*Choose another --output, or replace it"):
        resume(stopped, **asked)
    assert {path: path.read_bytes() for path in stopped.rglob("*") if path.is_file()} == before


def test_another_version_of_the_software_is_refused(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows may have other bits."""
    monkeypatch.setattr(sweep_folder, "software", lambda: {**software(), "kernels": "others"})
    with pytest.raises(UsageError, match="has another sweep: its provenance is"):
        resume(stopped)


@pytest.mark.parametrize("asked", [{"resume": True}, {"overwrite": True}])
def test_one_process_at_a_time(asked: dict[str, bool], stopped: Path, whole: Path) -> None:
    """A folder that is held is neither gone on with nor replaced, and nothing in it is lost."""
    held = SweepFolder(stopped, planned(), resume=True, overwrite=False)
    parts = len(parts_of(stopped))
    with pytest.raises(HeldError, match="another process runs a sweep in it"):
        run_planned(planned(), folder=stopped, **asked)
    held.close()
    assert len(parts_of(stopped)) == parts > 0
    resume(stopped)
    assert bytes_of(stopped) == bytes_of(whole)


def test_progress_goes_on_where_it_stood(stopped: Path) -> None:
    """It counts the rows that were kept, and comes to its end."""
    told: list[tuple[int, int]] = []
    run_planned(planned(), folder=stopped, resume=True, progress=lambda done, cells: told.append((done, cells)))
    assert told[0][0] > planned().cells // planned().count
    assert told[-1] == (planned().cells, planned().cells)


def test_what_is_there_is_replaced_only_when_asked(stopped: Path, whole: Path) -> None:
    """Without a word about it the folder is refused; with it nothing of it stays."""
    with pytest.raises(UsageError, match="is there already; add --overwrite to replace it"):
        run_planned(planned(), folder=stopped)
    (stopped / "more").write_text("of another")
    run_planned(planned(), folder=stopped, overwrite=True, threads=2)
    assert bytes_of(stopped) == bytes_of(whole)
    assert sorted(path.name for path in stopped.iterdir()) == [DOCUMENT, TABLE]


@pytest.mark.parametrize("asked", [{"threads": 0}, {"memory": 1000}, {"memory": "much"}])
def test_what_is_refused_is_so_before_the_folder_goes(asked: dict[str, Any], whole: Path, tmp_path: Path) -> None:
    """A mistyped number costs no finished sweep."""
    folder = copied(whole, tmp_path)
    with pytest.raises(UsageError):
        run_planned(planned(), folder=folder, overwrite=True, **asked)
    assert bytes_of(folder) == bytes_of(whole)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, r"has no sweep.json; it is not the folder of a sweep"),
        ("{", r"sweep.json: not readable"),
        ("[1]", r"sweep.json: is not the document of a sweep"),
        ('{"kind": "backtest"}', r"sweep.json: is not the document of a sweep"),
    ],
)
def test_what_is_no_sweep_is_told(content: str | None, text: str, tmp_path: Path) -> None:
    """Read or gone on with; what is there stays."""
    (tmp_path / "mine.txt").write_text("precious")
    if content is not None:
        (tmp_path / DOCUMENT).write_text(content)
    for call in (lambda: read_sweep(tmp_path), lambda: resume(tmp_path)):
        with pytest.raises(DataError, match=text):
            call()
    assert (tmp_path / "mine.txt").read_text() == "precious"
    assert not (tmp_path / PARTS).exists()


def test_a_table_that_is_gone_is_told(whole: Path, tmp_path: Path) -> None:
    """The document alone is no sweep."""
    folder = copied(whole, tmp_path)
    (folder / TABLE).unlink()
    with pytest.raises(DataError, match=r"sweep.parquet: is not there"):
        read_sweep(folder)


def test_in_one_call(tmp_path: Path) -> None:
    """`sweep` plans and runs, in memory or in a folder, and gives the same."""
    asked: dict[str, Any] = {"slow_ma": 40, "metrics": METRICS, "threads": 1}
    bars, axes = some_bars(300), {"fast_ma": [3, 4]}
    in_memory = sweep(bars, "sma_crossover", axes, **asked)
    kept = sweep(bars, "sma_crossover", axes, folder=str(tmp_path / "s"), memory="900M", **asked)
    assert kept.table.equals(in_memory.table, null_equal=True)
    assert read_sweep(tmp_path / "s").table["trades"].to_list() == in_memory.table["trades"].to_list()

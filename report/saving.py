"""A result as a folder of files, there in full or not at all."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from ..data.dataset import DatasetInfo, write_dataset
from ..engine.bars import Bars
from ..engine.montecarlo_result import MonteCarloResult
from ..engine.outcome import Outcome
from ..engine.seal import BAR_FILES, file_digest, sealed
from ..errors import refuse_existing
from .sheet import IS_PORTFOLIO

DOCUMENT = "result.json"


def save_outcome(result: Outcome, folder: Path, *, overwrite: bool = False) -> Path:
    """Write `result.json`, the tables as Parquet, the bars it ran on, and what else it was made from.

    So a folder is complete: whoever gets it can draw the candles, and run it again with `barstep reproduce`.

    Raises:
        UsageError: The folder is there already and is not to be replaced.
    """
    with _staged(folder, overwrite=overwrite) as staged:
        _write(result, staged)
    return folder


def save_results(results: Mapping[str, Outcome], folder: Path, *, overwrite: bool = False) -> None:
    """Write `folder/<name>/` for each result, all of them or none.

    Raises:
        UsageError: The folder is there already and is not to be replaced.
    """
    with _staged(folder, overwrite=overwrite) as staged:
        for name, result in results.items():
            (staged / name).mkdir()
            _write(result, staged / name)


def save_montecarlo(found: MonteCarloResult, folder: Path, *, overwrite: bool = False) -> Path:
    """Write `montecarlo.json`, and the paths and bands as Parquet, all of them or none.

    Raises:
        UsageError: The folder is there already and is not to be replaced.
    """
    with _staged(folder, overwrite=overwrite) as staged:
        found.path_table.write_parquet(staged / "paths.parquet")
        found.bands.write_parquet(staged / "bands.parquet")
        (staged / "montecarlo.json").write_text(f"{found.to_json()}\n", encoding="utf-8")
    return folder


def bar_files(document: Mapping[str, Any]) -> list[str]:
    """Where in the folder the bars of each instrument are, `/` between names."""
    if IS_PORTFOLIO not in document:
        return ["bars.parquet"]
    plain = (re.sub(r"[^A-Za-z0-9.-]", "_", name) for name in document["instruments"])  # a symbol may be BTC/USDT
    return [f"bars/{place}_{name}.parquet" for place, name in enumerate(plain)]


def _write(result: Outcome, folder: Path) -> None:
    document = json.loads(result.to_json())
    document[BAR_FILES] = bar_files(document)
    for name, table in result.tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    for bars, file in zip(result.instruments, bar_files(document), strict=True):
        _write_bars(bars, folder / file)
    for name, content in result.inputs.files.items():
        _write_input(content, folder / name)
    digests = {file.relative_to(folder).as_posix(): file_digest(file) for file in folder.rglob("*") if file.is_file()}
    (folder / DOCUMENT).write_text(f"{json.dumps(sealed(document, digests), indent=2)}\n", encoding="utf-8")


def _write_input(content: bytes | pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.write_parquet(path)


def _write_bars(bars: Bars, path: Path) -> None:
    """The bars as a normalised dataset that `load` reads; no bars, which no dataset may have, as a bare table."""
    path.parent.mkdir(exist_ok=True)
    if not len(bars):
        bars.to_frame().write_parquet(path)
        return
    info = DatasetInfo(symbol=bars.symbol, venue=bars.venue, interval_seconds=bars.interval_seconds)
    write_dataset(bars.to_frame(), info, path)


@contextmanager
def _staged(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """A new folder beside `folder` that takes its name when everything in it was written."""
    refuse_existing(folder, overwrite=overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        staged.chmod(0o755)  # a temporary folder is its owner's alone
        yield staged
        replaced = staged.with_name(f"{staged.name}-old")
        if folder.exists():
            folder.rename(replaced)
        staged.rename(folder)
        shutil.rmtree(replaced, ignore_errors=True)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise

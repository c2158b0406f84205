"""A result as a folder of files, there in full or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..data.dataset import DatasetInfo, write_dataset
from ..engine.bars import Bars
from ..engine.result import Result
from ..errors import refuse_existing

DOCUMENT = "result.json"
BARS = "bars.parquet"
TABLES = ("equity", "trades", "fills", "columns", "monthly_returns")


def save_results(results: Mapping[str, Result], folder: Path, *, overwrite: bool = False) -> None:
    """Write `folder/<name>/` for each result: `result.json`, its tables as Parquet, and the bars it ran on.

    With the bars a folder is complete: whoever gets it can draw the candles, or load them and run again.

    Raises:
        UsageError: The folder is there already and is not to be replaced.
    """
    with _staged(folder, overwrite=overwrite) as staged:
        for name, result in results.items():
            place = staged / name
            place.mkdir()
            (place / DOCUMENT).write_text(result.to_json() + "\n", encoding="utf-8")
            for table in TABLES:
                getattr(result, table).write_parquet(place / f"{table}.parquet")
            _write_bars(result.bars, place / BARS)


def _write_bars(bars: Bars, path: Path) -> None:
    """The bars as a normalised dataset that `load` reads; no bars, which no dataset may have, as a bare table."""
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

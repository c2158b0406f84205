"""A saved result, read back as a sheet; a folder that is not one is refused in a line that says why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..data.dataset import frame_digest, read_columns
from ..errors import DataError, UsageError, nearest
from .saving import BARS, DOCUMENT
from .sheet import Sheet

_KEYS = (
    "strategy", "parameters", "execution", "bars_per_year", "data", "final_equity", "metrics", "costs", "signals",
    "fill_ambiguity", "provenance",
)  # fmt: skip
_INSIDE = {
    "execution": ("capital", "fee_bps", "slippage_bps"),
    "data": ("venue", "symbol", "interval_seconds", "bars", "first", "last", "sha384"),
    "metrics": ("fees_paid", "turnover"),
    "provenance": ("barstep", "numba", "numpy", "kernels", "arithmetic"),
}
_COLUMNS = {
    "equity": ("timestamp", "equity", "drawdown_pct"),
    "columns": ("timestamp", "position"),
    "monthly_returns": ("year", "month", "return_pct", "year_to_date_pct"),
    "trades": (
        "venue", "entry_time", "exit_time", "side", "quantity", "entry_price", "exit_price", "fees", "profit",
        "return_pct", "bars_held", "is_open", "exit_reason",
    ),
}  # fmt: skip


def result_folder(path: Path) -> Path:
    """The folder of one result: `path` itself, the folder of a `result.json`, or the one result inside `path`.

    Raises:
        DataError: There is nothing of that name, or it is no result.
        UsageError: There are several results in it.
    """
    if path.is_file():
        if path.name != DOCUMENT:
            raise DataError(f"{path}: is not a result. Name the folder that --output wrote, or its {DOCUMENT}.")
        return path.parent
    if not path.is_dir():
        raise DataError(f"{path}: no such result.{nearest(path.name, _names_beside(path))}")
    if (path / DOCUMENT).is_file():
        return path
    inside = sorted(entry.parent for entry in path.glob(f"*/{DOCUMENT}"))
    if not inside:
        raise DataError(f"{path}: holds no result ({DOCUMENT}). Make one with `barstep backtest … --output {path}`.")
    if len(inside) > 1:
        raise UsageError(
            f"{path}: holds {len(inside)} results; name one, such as {inside[0]}. "
            f"Found: {', '.join(folder.name for folder in inside)}."
        )
    return inside[0]


def _names_beside(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []


def read_sheet(folder: Path) -> Sheet:
    """The sheet of the result that `save_results` wrote to `folder`.

    Raises:
        DataError: A file is missing or unreadable, or the files do not belong together.
    """
    document = _read_document(folder / DOCUMENT)
    bars, _ = read_columns(folder / BARS)
    if frame_digest(bars) != document["data"][0]["sha384"]:
        raise DataError(f"{folder / BARS}: these are not the bars that {DOCUMENT} names. Run the backtest again.")
    tables = {name: _read_table(folder / f"{name}.parquet", columns) for name, columns in _COLUMNS.items()}
    for name in ("equity", "columns"):
        if tables[name].height != bars.height:
            raise DataError(
                f"{folder / name}.parquet: has {tables[name].height:,} rows for {bars.height:,} bars. "
                "Run the backtest again."
            )
    return Sheet(
        document=document,
        bars=bars,
        equity=tables["equity"],
        monthly=tables["monthly_returns"],
        trades=tables["trades"],
        position=tables["columns"]["position"].to_numpy(),
    )


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error
    missing = _missing(document)
    if missing:
        raise DataError(f"{path}: is not a result of barstep: it lacks {', '.join(missing)}")
    return dict(document)


def _missing(document: Any) -> list[str]:
    """Names of what a document lacks that a report needs."""
    if not isinstance(document, dict):
        return list(_KEYS)
    missing = [key for key in _KEYS if key not in document]
    if not missing and not document["data"]:
        return ["data"]
    for key, names in ({} if missing else _INSIDE).items():
        for part in document[key] if isinstance(document[key], list) else [document[key]]:
            missing += [f"{key}.{name}" for name in names if not isinstance(part, dict) or name not in part]
    return missing


def _read_table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=list(columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = "no such file" if not path.exists() else str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read: {reason}. Run the backtest again.") from error

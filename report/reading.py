"""A saved result, read back as a sheet; a folder that is not one is refused in a line that says why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..data.dataset import frame_digest, read_columns
from ..engine.reasons import DECISION_TEXTS
from ..errors import DataError, UsageError, nearest
from .saving import DOCUMENT, bar_files
from .sheet import IS_PORTFOLIO, IS_SCHEDULER, IS_WALK_FORWARD, Sheet, sheet_from

_KEYS = (
    "execution", "bars_per_year", "data", "final_equity", "metrics", "costs", "signals", "fill_ambiguity", "provenance",
)  # fmt: skip
_KEYS_OF_ONE = ("strategy", "parameters", *_KEYS)
_KEYS_OF_MANY = ("strategies", "instruments", "attribution", *_KEYS)
_KEYS_OF_SCHEDULER = (
    "scheduler", "environment", "config_sha384", "without", "drift_seconds", "schedules", "signals_by_schedule",
    "on_breach", "capital_policy", *_KEYS_OF_MANY,
)  # fmt: skip
_KEYS_OF_WALK = (*_KEYS_OF_ONE, IS_WALK_FORWARD)
_INSIDE = {
    "execution": ("capital", "fee_bps", "slippage_bps", "ambiguous_fills"),
    "data": ("venue", "symbol", "interval_seconds", "bars", "first", "last", "sha384"),
    "metrics": ("fees_paid", "turnover"),
    "provenance": ("barstep", "numba", "numpy", "kernels", "arithmetic"),
    "fill_ambiguity": ("bars", "share_pct", "pessimistic_equity", "optimistic_equity"),
    "attribution": ("schedule", "instrument", "tag"),
    "schedules": (
        "schedule", "strategy", "engine", "parameters", "risk_profile", "tags", "instruments", "cadence_seconds",
        "raw_weight", "weight",
    ),
    "signals_by_schedule": ("schedule", "seen", "accepted", *DECISION_TEXTS),
    "capital_policy": ("name", "label", "weights"),
    IS_WALK_FORWARD: (
        "train_bars", "test_bars", "step_bars", "anchored", "purge_bars", "embargo_bars", "select", "lowest", "sets",
        "axes", "unused_bars", "efficiency", "significance", "overfitting",
    ),
}  # fmt: skip
_TRADES = (
    "entry_time", "exit_time", "side", "quantity", "entry_price", "exit_price", "fees", "profit", "return_pct",
    "bars_held", "is_open", "exit_reason",
)  # fmt: skip
_COLUMNS = {
    "equity": ("timestamp", "equity", "drawdown_pct"),
    "monthly_returns": ("year", "month", "return_pct", "year_to_date_pct"),
}
_BY_BAR = ("equity", "columns", "weights", "profits")


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
    """The sheet of the result that was saved to `folder`.

    Raises:
        DataError: A file is missing or unreadable, or the files do not belong together.
    """
    document = _read_document(folder / DOCUMENT)
    bars = [_read_bars(folder, *each) for each in zip(bar_files(document), document["data"], strict=False)]
    columns = _columns_of(document)
    tables = {name: _read_table(folder / f"{name}.parquet", columns[name]) for name in columns}
    sheet = sheet_from(document, bars, tables)
    times = pl.concat([each["timestamp"] for each in sheet.bars]).n_unique()
    for name in _BY_BAR:
        if name in tables and tables[name].height != times:
            raise DataError(
                f"{folder / name}.parquet: has {tables[name].height:,} rows for {times:,} bars. Run the backtest again."
            )
    return sheet


def _columns_of(document: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The columns that a report needs, by the name of their table."""
    if IS_PORTFOLIO not in document:
        held = ("timestamp", "position", "other_order_equity", "benchmark")
        single: dict[str, Sequence[str]] = {**_COLUMNS, "columns": held, "trades": ("venue", *_TRADES)}
        return single | (_columns_of_walk(document) if IS_WALK_FORWARD in document else {})
    found: dict[str, Sequence[str]] = {
        **_COLUMNS,
        "columns": ("timestamp", "gross_exposure", "net_exposure", "other_order_equity", "benchmark"),
        "trades": ("schedule", "instrument", *_TRADES),
        "weights": ("timestamp", *document["instruments"]),
    }
    if IS_SCHEDULER not in document:
        return found
    schedules = [one["schedule"] for one in document["schedules"]]
    return {
        **found,
        "capital_weights": ("time", *schedules),
        "profits": ("timestamp", *schedules),
        "interventions": ("kind", "name", "reason", "source", "value", "begin", "end"),
        "governance": ("time", "kind", "name", "value", "limit"),
    }


def _columns_of_walk(document: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    told = document[IS_WALK_FORWARD]
    edges = [f"{part}_{edge}" for part in ("train", "test") for edge in ("start", "end")]
    measured = [f"{part}_{told['select']}" for part in ("train", "test")]
    besides = ("test_total_return_pct", "test_trades", "equity")
    chosen = [f"chosen_{name}" for name in told["axes"]]
    return {"windows": tuple(dict.fromkeys(("window", *edges, *chosen, *measured, *besides))), "splits": ("logit",)}


def _read_bars(folder: Path, file: str, described: Mapping[str, Any]) -> pl.DataFrame:
    bars, _ = read_columns(folder / file)
    if frame_digest(bars) != described["sha384"]:
        raise DataError(f"{folder / file}: these are not the bars that {DOCUMENT} names. Run the backtest again.")
    return bars


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error
    missing = _missing(document)
    if missing:
        raise DataError(f"{path}: is not a result of barstep: it lacks {', '.join(missing)}")
    return dict(document)


def _keys_of(document: Mapping[str, Any]) -> Sequence[str]:
    if IS_SCHEDULER in document:
        return _KEYS_OF_SCHEDULER
    if IS_WALK_FORWARD in document:
        return _KEYS_OF_WALK
    return _KEYS_OF_MANY if IS_PORTFOLIO in document else _KEYS_OF_ONE


def _missing(document: Any) -> list[str]:
    """Names of what a document lacks that a report needs."""
    if not isinstance(document, dict):
        return list(_KEYS_OF_ONE)
    keys = _keys_of(document)
    missing = [key for key in keys if key not in document]
    if not missing and len(document["data"]) < len(bar_files(document)):
        return ["data"]
    for key in () if missing else (key for key in keys if key in _INSIDE):
        for part in document[key] if isinstance(document[key], list) else [document[key]]:
            missing += [f"{key}.{name}" for name in _INSIDE[key] if not isinstance(part, dict) or name not in part]
    return missing


def _read_table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=list(columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = "no such file" if not path.exists() else str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read: {reason}. Run the backtest again.") from error

"""Does a saved result come out the same again? Table by table, value by value, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from ..engine.provenance import software
from ..engine.seal import BAR_FILES, FILES, SEAL, document_digest, file_digest
from ..engine.tracks import columns_of, same
from ..errors import DataError, JournalError
from .rerun import SavedRun, read_table

DOCUMENT = "result.json"
_OF_THE_BARS = "feed_changes"
"""Says which feed the saved bars are from, and so goes with what the run is made from: nothing is merged again."""
_NOT_COMPARED = ("provenance", "run", "config_sha384", BAR_FILES, FILES, SEAL)
"""What does not come of the run: what computed it, what was asked, and the digests of files."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A value that is another now.

    Attributes:
        what: The column of a table, or the path of a value in the document, such as `metrics.sharpe`.
        row: The first row that differs; None for a value of the document.
        saved: What the folder has.
        now: What came out now.
    """

    what: str
    row: int | None
    saved: Any
    now: Any


@dataclass(frozen=True, kw_only=True)
class ComparedTable:
    """A table of the result beside the one that came out now.

    Attributes:
        name: Its name.
        rows: How many rows the saved one has.
        difference: The first row that differs; None where there is none.
    """

    name: str
    rows: int
    difference: Difference | None


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """What came of running it again.

    Attributes:
        result: The folder.
        kind: `backtest`, `portfolio`, `scheduler` or `walk_forward`.
        tables: Every table.
        values: How many values of the document were compared.
        differences: Those that differ.
        provenance: What computes now and is not what computed then.
    """

    result: str
    kind: str
    tables: tuple[ComparedTable, ...]
    values: int
    differences: tuple[Difference, ...]
    provenance: tuple[Difference, ...]

    @property
    def verdict(self) -> Literal["same", "not the same"]:
        """Whether every table and every value came out the same."""
        moved = self.differences or any(table.difference for table in self.tables)
        return "not the same" if moved else "same"

    def to_dict(self) -> dict[str, Any]:
        """The reproduction as plain values."""
        return {"verdict": self.verdict, **asdict(self)}


def reproduce(result: str | Path, engine_files: Sequence[str | Path] = ()) -> Reproduction:
    """Run a saved result again, and compare.

    Args:
        result: The folder, or its `result.json`.
        engine_files: Files of engines that the run needs and that may be run; the folder has their text.

    Raises:
        DataError: It is no saved result, or a file cannot be read.
        JournalError: A file is missing or is not the one that was saved.
        UsageError: It needs an engine from a file that was not named.
        AuthorizationError: The licence does not grant a strategy.
    """
    path = Path(result)
    folder = path.parent if path.name == DOCUMENT else path
    document = read_sealed(folder)
    outcome = SavedRun(folder=folder, document=document, engine_files=[Path(file) for file in engine_files]).again()
    saved, now = (dict(_leaves(_compared(each))) for each in (document, json.loads(outcome.to_json())))
    tables = {name: table for name, table in outcome.tables.items() if name != _OF_THE_BARS}
    saved_tables = [(name, f"{name}.parquet") for name in tables if f"{name}.parquet" in document[FILES]]
    return Reproduction(
        result=str(folder),
        kind=document["run"]["kind"],
        tables=tuple(_compare(name, read_table(folder / file), tables[name]) for name, file in saved_tables),
        values=len(saved),
        differences=tuple(_differences(saved, now)),
        provenance=tuple(_other_software(document, [Path(file) for file in engine_files])),
    )


def _other_software(document: Mapping[str, Any], engine_files: Sequence[Path]) -> Iterator[Difference]:
    """What computes now and is another than then: versions, kernels, arithmetic, texts of engines."""
    now = software()
    yield from _differences({name: document["provenance"].get(name) for name in now}, now)
    texts = {file_digest(file) for file in engine_files}
    for engine in document["run"]["engines"]:
        if engine["sha384"] not in texts:
            yield Difference(what=f"text of {engine['name']}", row=None, saved=engine["sha384"], now="another")


def read_sealed(folder: Path) -> dict[str, Any]:
    """The document of a saved result whose files are all as they were saved.

    Raises:
        DataError: It is no saved result, or one of a version that kept no digests.
        JournalError: The document, or a file that it names, was changed or is missing; each one is told.
    """
    path = folder / DOCUMENT
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(document, dict) or not {"run", "provenance", BAR_FILES, FILES, SEAL} <= document.keys():
        raise DataError(f"{path}: is no result that can be run again; save it with this version of barstep.")
    wrong = [] if document_digest(document) == document[SEAL] else [f"{DOCUMENT} was edited"]
    wrong += [f"{name} has no digest" for name in document[BAR_FILES] if name not in document[FILES]]
    for name, digest in document[FILES].items():
        file = folder / name
        if not file.is_file():
            wrong.append(f"{name} is missing")
        elif file_digest(file) != digest:
            wrong.append(f"{name} is not the one that was saved")
    if wrong:
        raise JournalError(f"{folder}: {'; '.join(wrong)}. Nothing was run.")
    return document


def _compared(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _NOT_COMPARED}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value with its path: `metrics.sharpe`, `data.0.sha384`."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in pairs:
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _differences(saved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for what in dict.fromkeys((*saved, *now)):
        if saved.get(what) != now.get(what):
            yield Difference(what=what, row=None, saved=saved.get(what), now=now.get(what))


def _compare(name: str, saved: pl.DataFrame, now: pl.DataFrame) -> ComparedTable:
    """The first row in which two tables differ; of one row, its first column."""
    found: Difference | None = None
    if saved.columns != now.columns:
        found = Difference(what="columns", row=None, saved=saved.columns, now=now.columns)
    else:
        rows = min(saved.height, now.height)
        ours, theirs = columns_of(saved.head(rows)), columns_of(now.head(rows))
        for column in saved.columns:
            differs = np.flatnonzero(~same(ours[column], theirs[column]))
            if differs.size and (found is None or found.row is None or int(differs[0]) < found.row):
                row = int(differs[0])
                before, after = (_told(table[column][row]) for table in (saved, now))
                found = Difference(what=column, row=row, saved=before, now=after)
        if found is None and saved.height != now.height:
            found = Difference(what="number of rows", row=rows, saved=saved.height, now=now.height)
    return ComparedTable(name=name, rows=saved.height, difference=found)


def _told(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)

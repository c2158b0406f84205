"""A sweep on disk: what it runs, the rows that are done, and at the end one table. It can be stopped at any moment.

`sweep.json` says what is run; `parts/` has the rows of each portion that is done, sealed with the sweep's digest;
`sweep.parquet` has all of them once they are there, whereupon the parts go. Files get their names when they are whole,
so that a process that is killed leaves no half of one; a portion that was on its way is run again. The table depends on
neither portions nor order.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from ..data.whole_file import whole_file, write_json
from ..engine.outcome import without_endless
from ..engine.provenance import software
from ..engine.seal import FILES, SEAL, document_digest, file_digest, sealed
from ..engine.sweep.kinds import AnySweep, Rows
from ..engine.sweep.result import SweepResult, with_provenance
from ..errors import DataError, HeldError, JournalError, UsageError, refuse_existing
from .rerun import read_table

DOCUMENT, TABLE, CURVES, PARTS = "sweep.json", "sweep.parquet", "curves.parquet", "parts"
_ROW_GROUP = 65_536
_LOCK = "lock"
_SLICES = "slice_moments"
_ROWS_SEAL = "rows_sha384"


class SweepFolder:
    """The folder of one sweep."""

    def __init__(self, folder: Path, plan: AnySweep, *, resume: bool, overwrite: bool) -> None:
        """Make the folder, or go on in one that has the same sweep.

        Raises:
            UsageError: It is there and is neither to be gone on with nor replaced; or it has another sweep.
            DataError: It cannot be read.
            HeldError: Another process runs a sweep in it.
        """
        self.folder, self._plan = folder, plan
        self._is_finished = False
        if not resume:
            refuse_existing(folder, overwrite=overwrite)
            if (folder / PARTS).is_dir():
                _hold(folder).close()
            shutil.rmtree(folder, ignore_errors=True)
        elif (folder / DOCUMENT).exists() or (folder.exists() and not _is_bare(folder)):
            document = _read_document(folder)
            self._refuse_another(document)
            self._is_finished = TABLE in document.get(FILES, {})
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        self._held = _hold(folder)
        if not (folder / DOCUMENT).exists():
            self._write_document({})

    def kept(self) -> Iterator[Rows]:
        """The rows that are done.

        Raises:
            DataError: A file cannot be read.
            JournalError: A file is not the one that was written, or is of another sweep.
        """
        if self._is_finished:
            yield _rows_of(_read_sealed(self.folder).table, self._plan)
            return
        for part in sorted((self.folder / PARTS).glob("*.parquet")):
            yield self._read_part(part)

    def add(self, rows: Rows) -> None:
        """Keep the rows of a portion."""
        figures = {name: pl.Series(row) for name, row in zip(self._plan.metrics, rows.values, strict=True)}
        numbers = {"row": pl.Series(np.arange(rows.start, rows.stop))}
        table = self._with_slices(pl.DataFrame({**numbers, **figures}), rows.slices)
        with whole_file(self.folder / PARTS / f"{rows.start:09}-{rows.stop:09}.parquet") as part:
            table.write_parquet(part, metadata={_ROWS_SEAL: self._seal(rows)})

    def finish(self, result: SweepResult) -> None:
        """Write the table of all rows, and what seals it."""
        if not self._is_finished:
            table = self._with_slices(with_provenance(self._plan, result.table), result.slice_moments)
            with whole_file(self.folder / TABLE) as file:
                table.write_parquet(file, row_group_size=_ROW_GROUP)
            self._write_document({TABLE: file_digest(self.folder / TABLE)})
        shutil.rmtree(self.folder / PARTS)

    def close(self) -> None:
        """Let others have the folder."""
        self._held.close()

    def _read_part(self, path: Path) -> Rows:
        """The rows of a portion, if they are those that were written, of this sweep."""
        table = read_table(path)
        try:
            rows, seal = _rows_of(table, self._plan), pl.read_parquet_metadata(path).get(_ROWS_SEAL)
        except (pl.exceptions.PolarsError, IndexError, ValueError):
            rows, seal = None, None
        if rows is None or seal != self._seal(rows):
            raise JournalError(
                f"{path}: is damaged, or is of another sweep; remove it, and --resume runs its rows again."
            )
        return rows

    def _seal(self, rows: Rows) -> str:
        """SHA-384 of the sweep's digest, the number of the first row, and the figures."""
        found = hashlib.sha384(f"{self._plan.digest} {rows.start}".encode())
        for figures in (rows.values, rows.slices):
            found.update(figures.tobytes())
        return found.hexdigest()

    def _with_slices(self, table: pl.DataFrame, slices: np.ndarray[Any, np.dtype[np.float64]]) -> pl.DataFrame:
        """The table with the moments of each row's slices as one list."""
        if not self._plan.slices:
            return table
        flat = np.ascontiguousarray(slices.reshape(table.height, -1))
        return table.with_columns(pl.Series(_SLICES, flat, dtype=pl.Array(pl.Float64, flat.shape[1])))

    def _write_document(self, files: dict[str, str]) -> None:
        write_json(self.folder / DOCUMENT, sealed(self._described(), files))

    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = without_endless({**self._plan.describe(), "provenance": software()})
        return described

    def _refuse_another(self, there: dict[str, Any]) -> None:
        """Raise where the folder has another sweep: its rows would not be those of this one."""
        for name, value in self._described().items():
            if there.get(name) != json.loads(json.dumps(value)):
                raise UsageError(
                    f"{self.folder}: has another sweep: its {name} is {_short(there.get(name))}, this one's "
                    f"{_short(value)}. Choose another --output, or replace it with --overwrite."
                )


def _hold(folder: Path) -> BinaryIO:
    """A file of the folder that no other process can hold until this one closes it, or ends."""
    file = (folder / PARTS / _LOCK).open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise HeldError(f"{folder}: another process runs a sweep in it; wait for it, or choose another.") from None
    return file


def keep_curves(result: SweepResult, rows: Sequence[int], folder: Path) -> None:
    """Write the equity of some rows beside the table: `row`, `timestamp`, `equity`."""
    with whole_file(folder / CURVES) as file:
        result.curves(rows).write_parquet(file)


@dataclass(frozen=True, kw_only=True)
class SavedSweep:
    """A finished sweep as it lies on disk.

    Attributes:
        document: Its `sweep.json`.
        table: One row a row of the sweep, with its provenance.
    """

    document: dict[str, Any]
    table: pl.DataFrame

    @property
    def axes(self) -> list[str]:
        """What was varied."""
        return list(self.document["axes"])

    @property
    def labels(self) -> list[str]:
        """What names rows beside it."""
        return [name for name in ("symbol", "venue", "scheduler") if name in self.table.columns]

    @property
    def metrics(self) -> tuple[str, ...]:
        """What was measured."""
        return tuple(self.document["metrics"])


def read_sweep(folder: Path) -> SavedSweep:
    """Read a finished sweep, by its folder or its `sweep.json`.

    Raises:
        DataError: It cannot be read, or is not finished.
        JournalError: A file is not the one that was written.
    """
    return _read_sealed(folder.parent if folder.name == DOCUMENT else folder)


def _read_sealed(folder: Path) -> SavedSweep:
    document = _read_document(folder)
    if TABLE not in document.get(FILES, {}):
        done = len(list((folder / PARTS).glob("*.parquet")))
        raise DataError(f"{folder}: the sweep is not finished ({done:,} portions are done); go on with --resume.")
    if not (folder / TABLE).is_file():
        raise DataError(f"{folder / TABLE}: is not there.")
    if document_digest(document) != document.get(SEAL) or file_digest(folder / TABLE) != document[FILES][TABLE]:
        raise JournalError(f"{folder}: {DOCUMENT} or {TABLE} is not as it was written: the digests do not agree.")
    return SavedSweep(document=document, table=read_table(folder / TABLE))


def _is_bare(folder: Path) -> bool:
    """Whether nothing is there but what a process that was killed at once leaves behind."""
    return folder.is_dir() and all(
        entry.name == PARTS or entry.name.startswith(f".{DOCUMENT}.") for entry in folder.iterdir()
    )


def _rows_of(table: pl.DataFrame, plan: AnySweep) -> Rows:
    shape = (table.height, plan.slices, 3)
    slices = table[_SLICES].to_numpy().reshape(shape) if plan.slices else np.zeros(shape)
    values = table.select(plan.metrics).to_numpy().T
    return Rows(int(table["row"][0]), np.ascontiguousarray(values), slices)


def _read_document(folder: Path) -> dict[str, Any]:
    path = folder / DOCUMENT
    if not path.is_file():
        raise DataError(f"{folder}: has no {DOCUMENT}; it is not the folder of a sweep.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: not readable: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != "sweep":
        raise DataError(f"{path}: is not the document of a sweep.")
    return document


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"

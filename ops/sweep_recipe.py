"""A plan as plain values, and its runner again: what travels to another process is data, and no closure."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from ..engine.bars import Bars
from ..engine.sweep.kinds import Runner


class Recipe(Protocol):
    """A plan but for its bars."""

    @property
    def key(self) -> str:
        """Digest of all of it, and of all bars."""

    @property
    def software(self) -> Mapping[str, str]:
        """What must be there, too, for the same bits."""

    def runner(self, data: Any) -> Runner:
        """What runs the rows of one instrument, counted from its first.

        Raises:
            DataError: The bars are not there.
            UsageError: The engine is not here, or its file cannot be run.
        """


class Packing(Protocol):
    """A plan that is taken apart for other processes."""

    @property
    def recipe(self) -> Recipe:
        """The plan but for its bars."""

    @property
    def bars(self) -> Sequence[Bars]:
        """All of its bars."""

    def data(self, instrument: int, in_folder: Mapping[str, str]) -> Any:
        """The bars of an instrument; in_folder: by digest the folder of those that are not sent."""

    def cells(self, instrument: int) -> int:
        """Cells of a row."""


def digest_of(*parts: object) -> str:
    """Digest of what parts say of themselves."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def as_bytes(table: pl.DataFrame) -> bytes:
    """A table as an Arrow stream."""
    stream = io.BytesIO()
    table.write_ipc_stream(stream)
    return stream.getvalue()

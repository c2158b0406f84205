"""Digests of tables: two that agree hold the same values, bit for bit."""

from __future__ import annotations

import hashlib

import polars as pl


def digest_of(table: pl.DataFrame) -> str:
    """SHA-384 over the rows of a table: numbers and instants little-endian, text as UTF-8 with its length before it."""
    digest = hashlib.sha384()
    for column in table.iter_columns():
        if column.dtype == pl.String:
            digest.update(column.str.len_bytes().cast(pl.Int64).to_numpy().astype("<i8").tobytes())
            digest.update("".join(column.to_list()).encode())
        else:
            numbers = column.to_physical().to_numpy()
            digest.update(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()

"""Delimited text into a table: encoding, comment and banner lines, separator, header, and the line of every row."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

import polars as pl

from ...errors import DataError
from ..findings import Finding, line_places, some
from .containers import Content
from .table import LINE, Table, column_key, named_columns, numbered_columns

_SEPARATORS = ("\t", ";", ",", "|")
_BANNER = re.compile(r"cryptodatadownload|^created on|https?://", re.IGNORECASE)
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")

# Months as the Russian and Ukrainian spreadsheets write them are CP1251; every byte has a meaning there but one.
_ENCODINGS = ("utf-8-sig", "cp1251")


def read_text(content: Content) -> Table:
    """Divide text into rows and columns.

    Raises:
        DataError: There are no rows, or rows of different width.
    """
    text, encoding = _decode(content.data)
    lines = pl.Series("line", text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    numbered = pl.DataFrame({"text": lines, LINE: range(1, len(lines) + 1)}).filter(
        pl.col("text").str.strip_chars() != ""
    )
    preamble, body = _split_preamble(numbered)
    if body.is_empty():
        raise DataError(f"{content.where}: no rows below {len(preamble)} comment lines: no bars.")
    separator = _separator(body["text"].head(50).to_list())
    cells = _cells(content.where, body, separator, quoted='"' in text)
    header = cells.row(0)[:-1]
    has_header = _is_header(header)
    titles = named_columns([str(title or "") for title in header]) if has_header else numbered_columns(len(header))
    rows = cells.slice(1) if has_header else cells
    rows = rows.rename(dict(zip(rows.columns, [*titles, LINE], strict=True)))
    if rows.is_empty():
        raise DataError(f"{content.where}: a header and nothing below it: no bars.")
    return Table(
        where=content.where,
        frame=rows,
        kind="csv",
        has_header=has_header,
        titles=titles,
        preamble=preamble,
        separator=separator,
        place="line",
        notes=_encoding_note(encoding),
    )


def _decode(data: bytes) -> tuple[str, str]:
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "latin-1"


def _encoding_note(encoding: str) -> tuple[Finding, ...]:
    if encoding == "utf-8-sig":
        return ()
    text = f"the text is not UTF-8 and was read as {encoding.upper()}"
    return (Finding(code="encoding", severity="info", text=text),)


def _split_preamble(lines: pl.DataFrame) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Comment lines (`#`) and a site's banner stand above the header; comments further down are skipped too."""
    is_comment = pl.col("text").str.starts_with("#")
    comments = lines.filter(is_comment)["text"].to_list()
    rest = lines.filter(~is_comment)
    banners = []
    while not rest.is_empty() and _BANNER.search(rest["text"][0]):
        banners.append(rest["text"][0])
        rest = rest.slice(1)
    return (*comments, *banners), rest


def _separator(sample: list[str]) -> str:
    """The candidate that divides most lines into the same number of columns, the wider one on a tie."""

    def score(separator: str) -> tuple[int, int]:
        width, lines = Counter(line.count(separator) for line in sample).most_common(1)[0]
        return (lines if width else 0, width)

    return max(_SEPARATORS, key=score)


def _cells(where: str, body: pl.DataFrame, separator: str, *, quoted: bool) -> pl.DataFrame:
    """Rows of text cells with their line, every row as wide as the first one."""
    if quoted:
        divided = list(csv.reader(io.StringIO("\n".join(body["text"].to_list())), delimiter=separator))
        if len(divided) != body.height:
            raise DataError(f"{where}: a quoted cell runs over several lines; a bar is one line.")
        split = pl.Series("cells", divided, dtype=pl.List(pl.String))
    else:
        split = body["text"].str.split(separator)
    widths = split.list.len()
    width = int(widths[0])
    odd = body.filter(widths != width)[LINE].to_list()
    if odd:
        first = int(widths.filter(widths != width)[0])
        raise DataError(
            f"{where}: line {odd[0]} has {first} columns and the first row has {width}; every row must be as wide "
            f"({len(odd)} such rows: {some(line_places(odd))}). Is the file cut short?"
        )
    cells = {f"{position}": split.list.get(position).str.strip_chars() for position in range(width)}
    return pl.DataFrame({**cells, LINE: body[LINE]})


def _is_header(row: tuple[object, ...]) -> bool:
    """Column names are words; a row of bars has numbers in most of its cells."""
    texts = [str(cell or "") for cell in row]
    numbers = sum(1 for text in texts if _NUMBER.match(text))
    words = {column_key(text) for text in texts}
    return numbers == 0 and bool(
        words & {"open", "high", "low", "close", "price", "bid", "ask", "date", "time", "last"}
    )

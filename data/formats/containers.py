"""Opening containers: gzip and zip are unwrapped, and the kind of the content is told from its first bytes."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import DataError, nearest

Kind = Literal["text", "json", "parquet", "feather"]

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_PARQUET = b"PAR1"
_FEATHER = b"ARROW1"
_OLD_FEATHER = b"FEA1"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Nesting deeper than an archive in an archive is no market data.
_DEEPEST = 3


@dataclass(frozen=True, kw_only=True)
class Content:
    """The innermost bytes of a file.

    Attributes:
        where: The file, and the member of an archive, for messages.
        names: The file's name and those of members, outermost first: all of them may hold hints.
        kind: What the bytes are.
        data: The bytes.
    """

    where: str
    names: tuple[str, ...]
    kind: Kind
    data: bytes


def open_content(path: Path) -> Content:
    """Read a file and unwrap it down to what holds the rows.

    Raises:
        DataError: The file is missing, empty, damaged, or of no kind that is known.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder. Type: barstep data import {path}/*")
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"{path}: no such file.{nearest(path.name, siblings)}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    where, names = str(path), [path.name]
    for _ in range(_DEEPEST):
        if data.startswith(_GZIP):
            data = _gunzip(where, data)
        elif data.startswith((_ZIP, _EMPTY_ZIP)):
            member, data = _unzip(where, data)
            where, names = f"{where}!{member}", [*names, member]
        else:
            break
    return Content(where=where, names=tuple(names), kind=_kind(where, data), data=data)


def _gunzip(where: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{where}: the gzip file is damaged or cut short: {error}. Download it again.") from error


def _unzip(where: str, data: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            members = [name for name in members if not name.startswith("__MACOSX/")]
            if len(members) != 1:
                found = ", ".join(members[:5]) or "none"
                raise DataError(
                    f"{where}: the archive holds {len(members)} files ({found}); it must hold one. "
                    "Unpack it and import its files together: barstep data import FOLDER/*"
                )
            return members[0], archive.read(members[0])
    except (zipfile.BadZipFile, EOFError, zlib.error, ValueError, RuntimeError, OSError) as error:
        raise DataError(f"{where}: the zip archive is damaged or cut short: {error}. Download it again.") from error


def _kind(where: str, data: bytes) -> Kind:
    head = data[:4096].removeprefix(_BYTE_ORDER_MARK).lstrip()
    if not head:
        raise DataError(f"{where}: the file is empty ({len(data)} bytes): no bars.")
    if data.startswith(_PARQUET):
        return "parquet"
    if data.startswith(_FEATHER):
        return "feather"
    if data.startswith(_OLD_FEATHER):
        raise DataError(f"{where}: feather version 1, which has no reader any more. Write it again as version 2.")
    if head[:1] in b"[{":
        return "json"
    printable = sum(1 for byte in head if byte >= 32 or byte in b"\t\r\n\f")
    if b"\0" in head or printable < 0.95 * len(head):
        raise DataError(
            f"{where}: not data of a known kind (first bytes {data[:8]!r}). "
            "Allowed: delimited text, JSON, Parquet, feather, each also in gzip or zip."
        )
    return "text"

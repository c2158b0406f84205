"""Members of an archive, read into memory against what its manifest lists, without believing a word of the archive.

The archive's bytes are those that were verified: nothing is read a second time from a disk that may have changed.
"""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from .faults import BundleError, Verdict
from .manifest import File, check_file
from .names import check_name, check_names

MOST_MEMBERS = 1_000
MOST_BYTES = 64 << 20
"""Of all members together, and of an archive."""
HIGHEST_RATIO = 100
"""Of the members' bytes to the archive's."""

_GZIP = 16 + zlib.MAX_WBITS
_TAR_OVERHEAD = 1_024 * (MOST_MEMBERS + 20)
"""Of headers, padding and the end of a tar archive."""
_ZIP_END, _ZIP_END_BYTES, _ZIP64_LOCATOR = b"PK\x05\x06", 22, b"PK\x06\x07"
_LARGEST_DIRECTORY = 512 * MOST_MEMBERS
_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError, RuntimeError, struct.error, OSError)
"""What the libraries raise of archives that are none; `NotImplementedError` is a RuntimeError."""

Entry = tuple[str, int, Callable[[int], bytes]]
"""Name, size, and what reads at most so many bytes."""


def read_members(archive: str, data: bytes, listed: Sequence[File]) -> dict[str, bytes]:
    """The members of an archive by their paths.

    Args:
        archive: Its name, by whose ending it is known what it is.
        data: Its bytes.
        listed: What the manifest says is in it.

    Raises:
        BundleError: A member is extra, missing, there twice, not what the manifest says, no plain file, of a name that
            is not allowed; or there are too many, or they are too big.
    """
    _check_listed(archive, data, listed)
    by_path = {one.path: one for one in listed}
    found: dict[str, bytes] = {}
    entries = _zip_entries if archive.endswith(".zip") else _tar_entries
    try:
        for name, size, read in entries(archive, data):
            check_name(name)
            if name in found:
                raise BundleError(Verdict.MEMBER_MISMATCH, name, "is in the archive twice.")
            if name not in by_path:
                raise BundleError(Verdict.MEMBER_MISMATCH, name, "is in the archive and not in its manifest.")
            if size != by_path[name].bytes:
                text = f"has {size:,} bytes; the manifest says {by_path[name].bytes:,}."
                raise BundleError(Verdict.MEMBER_MISMATCH, name, text)
            content = read(size + 1)
            check_file(content, by_path[name], Verdict.MEMBER_MISMATCH, name)
            found[name] = content
    except _BROKEN as error:
        raise BundleError(
            Verdict.MEMBER_MISMATCH, archive, f"cannot be read: {error or type(error).__name__}"
        ) from None
    for name in by_path:
        if name not in found:
            raise BundleError(Verdict.MEMBER_MISMATCH, name, "is in the manifest and not in the archive.")
    return found


def _check_listed(archive: str, data: bytes, listed: Sequence[File]) -> None:
    if len(listed) > MOST_MEMBERS:
        text = f"lists {len(listed):,} members; at most {MOST_MEMBERS:,} are allowed."
        raise BundleError(Verdict.TOO_BIG, archive, text)
    total = sum(one.bytes for one in listed)
    if max(total, len(data)) > MOST_BYTES:
        raise BundleError(Verdict.TOO_BIG, archive, f"has {max(total, len(data)):,} bytes; at most {MOST_BYTES:,}.")
    if total > HIGHEST_RATIO * len(data):
        text = f"grows from {len(data):,} to {total:,} bytes; at most {HIGHEST_RATIO} times as many are allowed."
        raise BundleError(Verdict.TOO_BIG, archive, text)
    check_names(one.path for one in listed)


def _zip_entries(archive: str, data: bytes) -> Iterator[Entry]:
    end = data[-_ZIP_END_BYTES:]
    # So that the directory's size is known, and no second end can say something else.
    if end[:4] != _ZIP_END or end[-2:] != b"\0\0" or data[-_ZIP_END_BYTES - 20 :][:4] == _ZIP64_LOCATOR:
        text = "is no ZIP archive, or has a comment or an extended end."
        raise BundleError(Verdict.MEMBER_MISMATCH, archive, text)
    (directory_bytes,) = struct.unpack("<L", end[12:16])
    if directory_bytes > _LARGEST_DIRECTORY:
        text = f"has a directory of {directory_bytes:,} bytes; at most {_LARGEST_DIRECTORY:,} are allowed."
        raise BundleError(Verdict.TOO_BIG, archive, text)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        infos = opened.infolist()
        _check_count(archive, len(infos))
        for info in infos:
            name = info.orig_filename  # `filename` ends at the first NUL
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or kind not in (0, stat.S_IFREG):
                raise BundleError(Verdict.UNSAFE_MEMBER, name, "is no plain file, but a folder, a link or a device.")
            if info.flag_bits & _ENCRYPTED:
                raise BundleError(Verdict.UNSAFE_MEMBER, name, "is encrypted.")
            yield name, info.file_size, partial(_read_zipped, opened, info)


def _read_zipped(opened: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    with opened.open(info) as file:
        return file.read(most)


def _tar_entries(archive: str, data: bytes) -> Iterator[Entry]:
    most = min(MOST_BYTES, HIGHEST_RATIO * len(data)) + _TAR_OVERHEAD
    unzip = zlib.decompressobj(_GZIP)
    plain = unzip.decompress(data, most + 1)
    if len(plain) > most:
        raise BundleError(Verdict.TOO_BIG, archive, f"grows to more than {most:,} bytes.")
    if not unzip.eof or unzip.unused_data:
        text = "is cut off, or something follows its end."
        raise BundleError(Verdict.MEMBER_MISMATCH, archive, text)
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as opened:
        for number, info in enumerate(opened, 1):
            _check_count(archive, number)
            if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.sparse is not None:
                raise BundleError(
                    Verdict.UNSAFE_MEMBER, info.name, "is no plain file, but a folder, a link, a device or sparse."
                )
            yield info.name, info.size, partial(_read_tarred, opened, info)


def _read_tarred(opened: tarfile.TarFile, info: tarfile.TarInfo, most: int) -> bytes:
    file = opened.extractfile(info)
    return b"" if file is None else file.read(most)


def _check_count(archive: str, count: int) -> None:
    if count > MOST_MEMBERS:
        raise BundleError(Verdict.TOO_BIG, archive, f"has more than {MOST_MEMBERS:,} members.")


def fits(members: Mapping[str, bytes]) -> bool:
    """Whether members may be bundled: no more, and no bigger, than is unpacked again."""
    return len(members) <= MOST_MEMBERS and sum(map(len, members.values())) <= MOST_BYTES - _TAR_OVERHEAD

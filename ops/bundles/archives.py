"""Archives that are the same bytes wherever they are made: members sorted, no times, no owners, nothing compressed.

What a library compresses differs between its versions; a bundle is small, so that nothing is lost by storing it.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a ZIP archive has a word for."""
_MODE = 0o100644
_UNIX = 3


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """A ZIP archive of members by their paths."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(members.items()):
            info = zipfile.ZipInfo(path, _EPOCH)
            info.create_system, info.external_attr = _UNIX, _MODE << 16
            archive.writestr(info, data)
    return whole.getvalue()


def tar_gz_of(members: Mapping[str, bytes]) -> bytes:
    """A gzipped tar archive of members by their paths."""
    whole = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=0, fileobj=whole, mtime=0) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path, data in sorted(members.items()):
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), _MODE & 0o777
            archive.addfile(info, io.BytesIO(data))
    return whole.getvalue()

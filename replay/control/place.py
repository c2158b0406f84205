"""Where a running loop listens, for whoever manages it from the same folder: a private file while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from ...errors import DataError, HeldError
from ..private_files import read_private, write_private

FOLDER = Path("var/run")
"""Under the working folder."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a loop listens.

    Attributes:
        environment: Which one it runs in.
        scheduler: Which one it runs.
        address: Where it listens, such as `grpc+tcp://127.0.0.1:40123`.
        pid: Its process.
    """

    environment: str
    scheduler: str
    address: str
    pid: int


@contextmanager
def told_place(place: Place, folder: Path = FOLDER) -> Iterator[Path]:
    """Have the file there for as long as the loop runs.

    Raises:
        JournalError: The folder is not private.
    """
    path = _path(place.environment, folder)
    write_private(path, msgspec.json.encode(place) + b"\n", replace=True)
    try:
        yield path
    finally:
        if path.exists() and _read(path).pid == os.getpid():
            path.unlink()


def find_place(environment: str, folder: Path = FOLDER) -> Place:
    """Where the loop of an environment listens.

    Raises:
        HeldError: None says that it does.
        JournalError: The file is not private.
    """
    try:
        return _read(_path(environment, folder))
    except DataError:
        raise HeldError(
            f"{_path(environment, folder)}: no loop of environment {environment!r} says that it listens. Start one "
            "with --run-forever from this folder, or give its address: --connect HOST:PORT."
        ) from None


def _path(environment: str, folder: Path) -> Path:
    return folder / f"{environment}.json"


def _read(path: Path) -> Place:
    try:
        return msgspec.json.decode(read_private(path), type=Place)
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: does not say where a loop listens: {error}") from None

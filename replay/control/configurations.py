"""The configurations that a journal was made with: each kept beside it under its digest, and which one is in force.

A run is set up with the configuration that its journal was begun with; what a reload changed since then is in the
journal as commands, so that a restart does both again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...errors import DataError, JournalError
from ..journal.disk import REAL_DISK
from ..journal.files import JournalFiles
from ..journal.reading import read_payloads
from ..journal.record import fields_of
from ..private_files import read_private, write_private

FOLDER = "configurations"
"""In the folder of journals."""
CHANGE = "config_change"
"""Category of the record that a reload writes."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What a journal says of its configuration.

    Attributes:
        genesis: Its first record.
        in_force: SHA-384 of the configuration after the last reload; where there was none, that of the genesis.
    """

    genesis: dict[str, Any]
    in_force: str


def begun(files: JournalFiles) -> Begun | None:
    """What the journal says; None where there is none.

    Raises:
        JournalError: It is damaged.
    """
    if not files.open_segment.exists():
        return None
    genesis: dict[str, Any] = {}
    in_force = ""
    for place, payload in read_payloads(files, REAL_DISK):
        if place.kind == "genesis":
            genesis = fields_of(payload)
            in_force = genesis["config"]
        elif place.kind == "note" and (record := fields_of(payload))["category"] == CHANGE:
            in_force = record.get("new_config", in_force)
    return Begun(genesis=genesis, in_force=in_force)


def keep(folder: Path, config: CoreConfig) -> Path:
    """Keep a configuration beside the journals of a folder, where it is not kept yet.

    Raises:
        JournalError: The folder is not private.
    """
    path = _path(folder, content_sha384(config))
    with suppress(FileExistsError):
        write_private(path, msgspec.json.encode(config) + b"\n")
    return path


def kept(folder: Path, digest: str) -> CoreConfig:
    """The configuration with a digest.

    Raises:
        JournalError: It is not kept here, or what is kept is not what the digest says.
    """
    path = _path(folder, digest)
    try:
        config = msgspec.json.decode(read_private(path), type=CoreConfig)
    except (DataError, msgspec.DecodeError) as error:
        raise JournalError(
            f"{path}: the configuration that the journal was made with is not kept here ({error}). Give the one with "
            f"SHA-384 {digest[:16]}… as --config, or another folder for a new journal."
        ) from None
    if content_sha384(config) != digest:
        raise JournalError(f"{path}: does not say what its digest says: it was changed. Put the one back that was.")
    return config


def _path(folder: Path, digest: str) -> Path:
    return folder / FOLDER / f"{digest}.json"

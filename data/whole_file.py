"""A file that is there in full or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary file that gets the name `path` when all is written, in the place of one that is there.

    Folders are made. Where something raises, what was there stays, and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # a temporary file is its owner's alone; this is for whoever may read the folder
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, document: Any, *, sort_keys: bool = False) -> None:
    """Write a document in full or not at all, in the place of one that is there; folders are made.

    Raises:
        ValueError: It holds NaN or infinity, which JSON has no word for.
    """
    text = json.dumps(document, indent=2, sort_keys=sort_keys, allow_nan=False)
    with whole_file(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")

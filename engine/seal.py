"""The seal of a saved result: digests of its files, and of the document that names them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILES, SEAL = "files", "sha384"
BAR_FILES = "bar_files"
"""Where the histories of `data` are, in the same order."""


def sealed(document: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """The document with the SHA-384 of each file, and of itself.

    The last one is over the document without it, as JSON with sorted keys and without spaces.
    """
    whole = {**document, FILES: dict(sorted(files.items()))}
    return {**whole, SEAL: document_digest(whole)}


def document_digest(document: Mapping[str, Any]) -> str:
    """SHA-384 of a document's content without its seal."""
    rest = {key: value for key, value in document.items() if key != SEAL}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha384(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-384 of a file's bytes, as `sha384sum` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha384").hexdigest()

"""Options that the commands of the journal and of its keys share."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..replay.journal.files import JournalFiles
    from ..replay.key_files import KeyFolder

JOURNALS, TOKENS = Path("audit/decision_logs"), Path("secrets/tokens")
_KEYS = Path("secrets/journal")
EnvironmentOption = Annotated[str, typer.Option("--environment", help="Name of the environment.")]
JournalFolderOption = Annotated[Path, typer.Option("--journal-folder", help="Where journals are.")]
KeysFolderOption = Annotated[
    Path | None, typer.Option("--keys-folder", help="Folder of its keys. [secrets/journal/<environment>]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def journal_files(folder: Path, environment: str) -> JournalFiles:
    """The files of an environment's journal."""
    from ..replay.journal.files import JournalFiles

    return JournalFiles(folder=folder, environment=environment)


def key_folder(folder: Path | None, environment: str) -> KeyFolder:
    """The keys of an environment."""
    from ..replay.key_files import KeyFolder

    if folder is None and (environment != Path(environment).name or environment.startswith(".") or not environment):
        raise UsageError(f"environment {environment!r}: allowed are letters, digits, _ and -.")
    return KeyFolder(_KEYS / environment if folder is None else folder)

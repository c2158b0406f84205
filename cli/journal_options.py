"""Options that the commands of the journal and of its keys share."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..replay.journal_files import JournalFiles
    from ..replay.key_files import KeyFolder

JOURNALS, KEYS, TOKENS = Path("audit/decision_logs"), Path("secrets/journal"), Path("secrets/tokens")
EnvironmentOption = Annotated[str, typer.Option("--environment", help="Name of the environment.")]
JournalFolderOption = Annotated[Path, typer.Option("--journal-folder", help="Where journals are.")]
KeysFolderOption = Annotated[Path, typer.Option("--keys-folder", help="Where keys are, a folder for each environment.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def journal_files(folder: Path, environment: str) -> JournalFiles:
    """The files of an environment's journal."""
    from ..replay.journal_files import JournalFiles

    return JournalFiles(folder=folder, environment=environment)


def key_folder(folder: Path, environment: str) -> KeyFolder:
    """The keys of an environment."""
    from ..replay.key_files import KeyFolder

    if not environment or environment != Path(environment).name or environment.startswith("."):
        raise UsageError(f"environment {environment!r}: allowed are letters, digits, _ and -.")
    return KeyFolder(folder / environment)

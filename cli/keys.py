"""`barstep keys …`: the keys that sign the journal, and tokens."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from .journal_options import (
    JOURNALS,
    EnvironmentOption,
    JournalFolderOption,
    JsonOption,
    KeysFolderOption,
    journal_files,
    key_folder,
)

if TYPE_CHECKING:
    from ..replay.key_files import KeyFolder

app = typer.Typer(rich_markup_mode=None, help="Make and rotate signing keys, make tokens.", no_args_is_help=True)


@app.command("init")
def init_command(
    environment: EnvironmentOption, keys_folder: KeysFolderOption = None, json_output: JsonOption = False
) -> None:
    """Make an environment's root key and the first signing key; what is there is kept."""
    folder = key_folder(keys_folder, environment)
    folder.init()
    _print(folder, environment, json_output=json_output)


@app.command("rotate")
def rotate_command(
    environment: EnvironmentOption,
    keys_folder: KeysFolderOption = None,
    journal_folder: JournalFolderOption = JOURNALS,
    json_output: JsonOption = False,
) -> None:
    """Make a new root key; the open segment of a journal that is there is sealed, and the next one signed anew."""
    from ..replay.clock import SystemClock
    from ..replay.journal.rotation import rotate_keys

    folder = key_folder(keys_folder, environment)
    rotate_keys(folder, journal_files(journal_folder, environment), now_us=SystemClock().now_us())
    _print(folder, environment, json_output=json_output)


@app.command("show")
def show_command(
    environment: EnvironmentOption, keys_folder: KeysFolderOption = None, json_output: JsonOption = False
) -> None:
    """Show which keys there are and where; never a key itself."""
    _print(key_folder(keys_folder, environment), environment, json_output=json_output)


@app.command("token")
def token_command(
    token_id: Annotated[str, typer.Option("--id", help="What the journal calls whoever has it.")],
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="What it allows; may be given often. [both scopes]")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Make a token of 256 bits, print it once, and print the entry that the configuration keeps of it."""
    from typing import get_args

    from ..config.tokens import Scope
    from ..errors import UsageError, unknown_name
    from ..replay.authorization import new_token, token_sha384

    allowed = get_args(Scope)
    for scope in scopes or ():
        if scope not in allowed:
            raise UsageError(unknown_name("scope", scope, allowed))
    if not token_id.replace("-", "").replace("_", "").isalnum() or not token_id.isascii() or token_id[0] == "-":
        raise UsageError(f"--id {token_id!r}: allowed are letters, digits, _ and -.")
    token = new_token()
    entry = {"id": token_id, "sha384": token_sha384(token), "scopes": scopes or list(allowed)}
    if json_output:
        typer.echo(json.dumps({"token": token, "rbac_tokens": [entry]}, indent=2))
        return
    typer.echo("the token, shown this once; keep it in a file of mode 0600 or in BARSTEP_TOKEN:")
    typer.echo(f"  {token}")
    typer.echo("the entry for rbac_tokens of the scheduler:")
    typer.echo(f"  - {{id: {token_id}, scopes: [{', '.join(entry['scopes'])}], sha384: {entry['sha384']}}}")


def _print(folder: KeyFolder, environment: str, *, json_output: bool) -> None:
    """What there is, and what to do with the root."""
    key = folder.current()
    paths = [path for path in (folder.root_path, folder.epoch_path) if path.exists()]
    files = [{"path": str(path), "mode": f"{path.stat().st_mode & 0o7777:04o}"} for path in paths]
    if json_output:
        document = {"kid": key.kid, "epoch": key.epoch, "root_is_here": folder.root_is_here(), "files": files}
        typer.echo(json.dumps({"keys": document}, indent=2))
        return
    typer.echo(f"{environment}: root {key.kid}, epoch {key.epoch}")
    for file in files:
        typer.echo(f"  {file['mode']} {file['path']}")
    if folder.root_is_here():
        typer.echo(
            f"Take {folder.root_path} off this machine and keep it: who has it can sign anything, and\n"
            "`barstep decision-log verify --root-key FILE` needs it to verify the past."
        )
    else:
        typer.echo("The root key is not on this machine, as it should be.")

"""`barstep keys …`: the keys that sign the journal, certificates, and tokens."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import mtls_bundle
from .journal_options import (
    JOURNALS,
    JournalFolderOption,
    JsonOption,
    KeysFolderOption,
    journal_files,
    key_folder,
)
from .mtls_bundle import (
    AuthorityKeyOption,
    AuthorityOption,
    BundleOption,
    ClientOption,
    DaysOption,
    FinishOption,
    HostOption,
    refuse_others,
    require_one,
)

if TYPE_CHECKING:
    from ..replay.key_files import KeyFolder

app = typer.Typer(
    rich_markup_mode=None, help="Make and rotate signing keys and certificates, make tokens.", no_args_is_help=True
)
EitherEnvironment = Annotated[
    str | None, typer.Option("--environment", help="Name of the environment whose signing keys are meant.")
]


@app.command("init")
def init_command(
    environment: EitherEnvironment = None,
    bundle: BundleOption = None,
    host: HostOption = None,
    client: ClientOption = None,
    days: DaysOption = None,
    keys_folder: KeysFolderOption = None,
    json_output: JsonOption = False,
) -> None:
    """Make an environment's root key and first signing key, or a bundle of certificates; what is there is kept."""
    making = {"--host": host, "--client": client, "--days": days}
    require_one(environment, bundle, making, {"--keys-folder": keys_folder})
    if bundle is not None:
        mtls_bundle.init(bundle, host, client, days)
        mtls_bundle.show(bundle, json_output=json_output)
    if environment is not None:
        folder = key_folder(keys_folder, environment)
        folder.init()
        _print(folder, environment, json_output=json_output)


@app.command("rotate")
def rotate_command(
    environment: EitherEnvironment = None,
    bundle: BundleOption = None,
    host: HostOption = None,
    client: ClientOption = None,
    days: DaysOption = None,
    authority: AuthorityOption = False,
    authority_key: AuthorityKeyOption = None,
    finish: FinishOption = False,
    keys_folder: KeysFolderOption = None,
    journal_folder: JournalFolderOption = JOURNALS,
    json_output: JsonOption = False,
) -> None:
    """Make a new root key, or new certificates.

    Of a journal that is there the open segment is sealed, and the next one signed with the new key. Certificates are
    made by the authority that is there, or by a new one beside it (--authority), until that one goes (--finish).
    """
    making = {"--host": host, "--client": client, "--days": days}
    of_bundle = {**making, "--authority": authority, "--authority-key": authority_key, "--finish": finish}
    of_keys = {"--keys-folder": keys_folder, "--journal-folder": journal_folder != JOURNALS}
    require_one(environment, bundle, of_bundle, of_keys)
    if bundle is not None:
        if finish:
            refuse_others("--finish", {**making, "--authority": authority, "--authority-key": authority_key})
            mtls_bundle.finish(bundle)
        else:
            mtls_bundle.rotate(bundle, host, client, days, with_authority=authority, authority_key=authority_key)
        mtls_bundle.show(bundle, json_output=json_output)
    if environment is not None:
        _rotate_keys(key_folder(keys_folder, environment), environment, journal_folder)
        _print(key_folder(keys_folder, environment), environment, json_output=json_output)


@app.command("show")
def show_command(
    environment: EitherEnvironment = None,
    bundle: BundleOption = None,
    keys_folder: KeysFolderOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show which keys or certificates there are, never a key itself; certificates not in order exit with 1."""
    require_one(environment, bundle, {}, {"--keys-folder": keys_folder})
    if bundle is not None:
        mtls_bundle.show(bundle, json_output=json_output)
    if environment is not None:
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


def _rotate_keys(folder: KeyFolder, environment: str, journal_folder: Path) -> None:
    from ..replay.clock import SystemClock
    from ..replay.journal.rotation import rotate_keys

    rotate_keys(folder, journal_files(journal_folder, environment), now_us=SystemClock().now_us())


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

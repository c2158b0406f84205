"""`barstep licence …`: what the licence in force grants, and how an issuer signs one."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import refuse_existing

app = typer.Typer(help="Licences: which strategies may be loaded.", no_args_is_help=True)


@app.command("show")
def show_command(
    file: Annotated[Path | None, typer.Argument(help="A licence file. [the one in force]")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check a licence's signature and show what it grants."""
    from ..config.licence import active_licence, read_licence

    licence = read_licence(file) if file is not None else active_licence()
    if json_output:
        document = {"holder": licence.holder, "capabilities": sorted(licence.capabilities)}
        typer.echo(json.dumps({"licence": document}, indent=2))
        return
    typer.echo(f"{licence.holder}: the signature is good; granted:")
    for capability in sorted(licence.capabilities):
        typer.echo(f"  {capability}")


@app.command("sign")
def sign_command(
    output: Annotated[Path, typer.Argument(help="Where the licence file goes.")],
    holder: Annotated[str, typer.Option(help="Whom it is for.")],
    capabilities: Annotated[list[str], typer.Option("--capability", help="What it grants; may be given often.")],
    issuer: Annotated[str, typer.Option(help="The issuer: the name of its public key file, without .pem.")],
    key: Annotated[Path, typer.Option(help="The issuer's Ed25519 private key, PEM without a password.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file where it is there.")] = False,
) -> None:
    """Sign a licence with an issuer's private key."""
    from ..config.licence import Licence, sign_licence

    refuse_existing(output, overwrite=overwrite)
    output.write_bytes(sign_licence(Licence(holder=holder, capabilities=capabilities), issuer, key))
    typer.echo(f"wrote {output}")

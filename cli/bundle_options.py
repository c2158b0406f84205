"""Options by which commands find a bundle's files and the key that it is checked with."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..ops.bundles.keys import CheckingKey
    from ..ops.bundles.making import BundleFiles
    from ..ops.bundles.manifest import Manifest

BundleArgument = Annotated[Path, typer.Argument(help="The archive, or the manifest beside it.")]
ManifestOption = Annotated[
    Path | None, typer.Option("--manifest", help="The manifest, where it is not beside the archive.")
]
SignatureOption = Annotated[
    Path | None, typer.Option("--signature", help="Its signature, where it is not beside the manifest.")
]
CheckingKeyOption = Annotated[
    Path | None,
    typer.Option("--signing-key", help="The key that signed it, secret or pair. [secrets/<key id>_signing.key]"),
]
PublicKeyOption = Annotated[
    Path | None, typer.Option("--public-key", help="The public half of an Ed25519 key, in place of --signing-key.")
]
KeyIdOption = Annotated[str | None, typer.Option("--key-id", help="What the key has to be called. [any]")]


def checking_key(signing_key: Path | None, public_key: Path | None, files: BundleFiles) -> CheckingKey:
    """The key that is named, else the one that the signature names, where it lies by default."""
    from ..ops.bundles.keys import read_public_key, read_signing_key
    from ..ops.bundles.signing_keys import key_named_by

    if signing_key is not None and public_key is not None:
        raise UsageError("--signing-key and --public-key: name one of them.")
    if public_key is not None:
        return read_public_key(public_key)
    return key_named_by(files) if signing_key is None else read_signing_key(signing_key)


def tell_manifest(manifest: Manifest) -> None:
    """Print what a verified bundle is."""
    size = sum(one.bytes for one in manifest.members)
    typer.echo(
        f"{manifest.archive.path}: {manifest.bundle} {manifest.version}, signed by {manifest.key_id}; "
        f"{len(manifest.members)} members of {size:,} bytes"
    )
    typer.echo(f"  sha256 {manifest.archive.sha256}\n  sha384 {manifest.archive.sha384}")

"""`barstep verify-signature`: may a bundle be believed?"""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json

import typer

from ..errors import JournalError
from .bundle_options import (
    BundleArgument,
    CheckingKeyOption,
    KeyIdOption,
    ManifestOption,
    PublicKeyOption,
    SignatureOption,
    checking_key,
    tell_manifest,
)
from .journal_options import JsonOption


def verify_signature_command(
    bundle: BundleArgument,
    manifest: ManifestOption = None,
    signature: SignatureOption = None,
    signing_key: CheckingKeyOption = None,
    public_key: PublicKeyOption = None,
    key_id: KeyIdOption = None,
    json_output: JsonOption = False,
) -> None:
    """Check a bundle's signature, its archive's bytes and every member; exit 5 where anything is wrong."""
    import msgspec

    from ..ops.bundles.faults import BundleError
    from ..ops.bundles.verifying import bundle_beside, verify_bundle

    files = bundle_beside(bundle, manifest=manifest, signature=signature)
    names = {name: str(getattr(files, name)) for name in ("archive", "manifest", "signature")}
    try:
        key = checking_key(signing_key, public_key, files)
        verified = verify_bundle(files, key, key_id=key_id)
    except BundleError as fault:
        if json_output:
            told = {"ok": False, "verdict": fault.verdict, "where": fault.where, "text": fault.text, "files": names}
            typer.echo(json.dumps(told, indent=2))
        else:
            typer.echo(f"FAIL: {fault}")
        raise typer.Exit(JournalError.exit_code) from None
    if json_output:
        told = {"ok": True, "verdict": "OK", "files": names, "algorithm": key.algorithm, "key": key.fingerprint}
        typer.echo(json.dumps({**told, "manifest": msgspec.to_builtins(verified.manifest)}, indent=2))
        return
    tell_manifest(verified.manifest)
    typer.echo(f"PASS: {key.algorithm} of key {key.fingerprint}, archive and members are what was signed")

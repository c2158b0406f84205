"""`barstep bundle …`: signed bundles of strategies and of observability, their keys, and unpacking."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
from .managing import Where
from .scheduler_options import DEFAULT_ENVIRONMENT
from .settings import config_path

if TYPE_CHECKING:
    from ..ops.bundles.manifest import Kind

app = typer.Typer(rich_markup_mode=None, help="Make, sign and unpack bundles.", no_args_is_help=True)
STRATEGY_VERSION = "STAGE4_STRATEGY_BUNDLE_VERSION"
STRATEGY_FOLDER, OBSERVABILITY_FOLDER = Path("stage4_strategies/strategy_bundle"), Path("var/bundles")
SigningKeyOption = Annotated[
    Path | None,
    typer.Option("--signing-key", help="A secret or an Ed25519 key. [secrets/<key id>_signing.key; a demo's is made]"),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration. [config/core.yaml, else the one of barstep]")
]
EnvironmentOption = Annotated[
    str, typer.Option("--environment", help="Whose bundle it is; only for a demo's a key is made.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace files that say something else.")]


@app.command("strategies")
def strategies_command(
    version: Annotated[
        str, typer.Option("--version", envvar=STRATEGY_VERSION, help="The bundle's version, such as 2024.06.")
    ],
    output_dir: Annotated[Path, typer.Option("--output-dir", help="Where its files go.")] = STRATEGY_FOLDER,
    signing_key: SigningKeyOption = None,
    key_id: Annotated[str, typer.Option("--key-id", help="What the key is called.")] = "stage4-strategies",
    config: ConfigOption = None,
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
) -> None:
    """Bundle a configuration's strategies: parameters, licence, engines of your own; ZIP, manifest, signature."""
    from ..engine.configured import load_core_config
    from ..ops.bundles.strategies import strategy_members, strategy_provenance

    core = load_core_config(config_path(config))
    members, provenance = strategy_members(core), strategy_provenance(core)
    _make("stage4-strategies", version, members, provenance, config, environment, signing_key, key_id, output_dir,
          overwrite=overwrite, json_output=json_output)  # fmt: skip


@app.command("observability")
def observability_command(
    version: Annotated[str, typer.Option("--version", help="The bundle's version, such as the number of a CI run.")],
    output_dir: Annotated[Path, typer.Option("--output-dir", help="Where its files go.")] = OBSERVABILITY_FOLDER,
    signing_key: SigningKeyOption = None,
    key_id: Annotated[str, typer.Option("--key-id", help="What the key is called.")] = "stage4-observability",
    source: Annotated[Path | None, typer.Option("--source", help="Folder of rules and dashboards. [deploy]")] = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = DEFAULT_ENVIRONMENT,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
) -> None:
    """Bundle Prometheus' rules and Grafana's dashboards: gzipped tar, manifest.json, manifest.sig."""
    from ..engine.provenance import software
    from ..ops.bundles.observability import default_source, observability_members

    members = observability_members(source or default_source())
    _make("observability", version, members, software(), config, environment, signing_key, key_id, output_dir,
          overwrite=overwrite, json_output=json_output)  # fmt: skip


@app.command("unpack")
def unpack_command(
    bundle: BundleArgument,
    output_dir: Annotated[Path, typer.Option("--output-dir", help="A folder that is not there yet.")],
    manifest: ManifestOption = None,
    signature: SignatureOption = None,
    signing_key: CheckingKeyOption = None,
    public_key: PublicKeyOption = None,
    key_id: KeyIdOption = None,
    json_output: JsonOption = False,
) -> None:
    """Verify a bundle and write its members into a new folder: all of them, or nothing."""
    from ..ops.bundles.unpacking import unpack_bundle
    from ..ops.bundles.verifying import bundle_beside, verify_bundle

    files = bundle_beside(bundle, manifest=manifest, signature=signature)
    verified = verify_bundle(files, checking_key(signing_key, public_key, files), key_id=key_id)
    written = unpack_bundle(verified, output_dir)
    if json_output:
        typer.echo(json.dumps({"folder": str(output_dir), "files": [str(path) for path in written]}, indent=2))
        return
    tell_manifest(verified.manifest)
    typer.echo(f"unpacked into {output_dir}")


@app.command("key")
def key_command(
    path: Annotated[Path, typer.Argument(help="The file, in a folder of mode 0700.")],
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="Make a pair: who checks with the .pub file cannot forge.")
    ] = False,
) -> None:
    """Make a key that signs bundles."""
    from ..ops.bundles.keys import make_signing_key, read_signing_key

    made = make_signing_key(path, ed25519=ed25519)
    key = read_signing_key(path)
    typer.echo(f"{key.algorithm} key {key.fingerprint}: {', '.join(map(str, made))}")


def _make(
    kind: Kind,
    version: str,
    members: Mapping[str, bytes],
    provenance: Mapping[str, str],
    config: Path | None,
    environment: str,
    signing_key: Path | None,
    key_id: str,
    folder: Path,
    *,
    overwrite: bool,
    json_output: bool,
) -> None:
    """Make a bundle, and say what it is."""
    from ..ops.bundles.making import files_of, make_bundle
    from ..ops.bundles.signing_keys import required_signing_key

    def is_demo() -> bool:
        where = Where(config=config, environment=environment, scheduler=None, token_file=None)
        return where.core.environments[where.environment_name].type == "demo"

    files_of(kind, version, folder)
    key, made = required_signing_key(signing_key, kind, is_demo)
    for path in made:
        typer.echo(f"made for the demonstration: {path}", err=True)
    files = make_bundle(kind, version, members, key=key, key_id=key_id, provenance=provenance, folder=folder,
                        overwrite=overwrite)  # fmt: skip
    document = json.loads(files.manifest.read_bytes())
    if json_output:
        names = {each: str(getattr(files, each)) for each in ("archive", "manifest", "signature")}
        typer.echo(json.dumps({"files": names, "manifest": document}, indent=2))
        return
    archive = document["archive"]
    typer.echo(f"wrote {files.archive}: {len(members)} members, signed by {key_id} ({key.algorithm} {key.fingerprint})")
    typer.echo(f"  sha256 {archive['sha256']}\n  sha384 {archive['sha384']}")
    typer.echo(f"  {files.manifest}\n  {files.signature}")

"""Steps of the signed bundles: made into the archive's folder, then verified with the keys that are known."""

from __future__ import annotations

from collections.abc import Mapping

from ...engine.provenance import software
from ..bundles.making import BundleFiles, files_of, make_bundle
from ..bundles.manifest import Kind
from ..bundles.observability import observability_members
from ..bundles.signing_keys import KEY_IDS, key_named_by, required_signing_key
from ..bundles.strategies import strategy_members, strategy_provenance
from ..bundles.verifying import verify_bundle
from .observing import source_of
from .stage import Stage

STRATEGY_VERSION = "STAGE4_STRATEGY_BUNDLE_VERSION"


def bundle_strategies(stage: Stage) -> str:
    """The strategies as a signed bundle."""
    return _make(stage, "stage4-strategies", strategy_members(stage.core), strategy_provenance(stage.core))


def bundle_observability(stage: Stage) -> str:
    """Rules and dashboards as a signed bundle."""
    return _make(stage, "observability", observability_members(source_of(stage)), software())


def verify_bundles(stage: Stage) -> str:
    """Both bundles are what was signed, with the keys that lie where they belong."""
    told = []
    for kind in ("stage4-strategies", "observability"):
        files = _files(stage, kind)
        manifest = verify_bundle(files, key_named_by(files), key_id=KEY_IDS[kind]).manifest
        told.append(f"{files.archive.name} of {len(manifest.members)} members")
    return f"{', '.join(told)}: signatures good"


def _make(stage: Stage, kind: Kind, members: Mapping[str, bytes], provenance: Mapping[str, str]) -> str:
    key, made = required_signing_key(stage.asked.signing_keys.get(kind), kind, lambda: stage.place.type == "demo")
    for path in made:
        stage.told(f"made for the demonstration: {path}")
    files = make_bundle(
        kind, _version(stage, kind), members, key=key, key_id=KEY_IDS[kind], provenance=provenance,
        folder=stage.smoke_folder,
    )  # fmt: skip
    return f"{files.archive.name}: {len(members)} members, signed by {KEY_IDS[kind]} ({key.algorithm})"


def _files(stage: Stage, kind: Kind) -> BundleFiles:
    return files_of(kind, _version(stage, kind), stage.smoke_folder)


def _version(stage: Stage, kind: Kind) -> str:
    """That of the run; of strategies the one that the variable names, where it is set."""
    named = stage.asked.environ.get(STRATEGY_VERSION, "").strip() if kind == "stage4-strategies" else ""
    return named or stage.asked.run_id

"""What the bundle of strategies holds: a configuration's strategies, and the code that is not barstep's own."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ...config.core import CoreConfig
from ...config.digest import content_sha384
from ...config.licence import LICENCE_VARIABLE, SHIPPED_LICENCE, active_licence
from ...config.writing import as_yaml
from ...engine.builtin import BUILTIN_ENGINES
from ...engine.catalog import ENTRY_POINT_GROUP
from ...engine.configured import ResolvedStrategy, catalog_of, resolve_strategy
from ...engine.engine_file import source_of
from ...engine.provenance import software
from ...engine.strategy import StrategyEngine
from ...errors import UsageError

_OTHER = re.compile(r"[^A-Za-z0-9_.-]")


def strategy_members(config: CoreConfig) -> dict[str, bytes]:
    """The bundle's members by path; docs/bundles.md lists them.

    Args:
        config: A configuration that is sound.

    Raises:
        UsageError: It has no strategies, two engine files have one name, or an engine's source is not to be had.
        AuthorizationError: The licence in force is none.
    """
    names = _strategies_of(config)
    if not names:
        raise UsageError("the configuration has no strategies; there is nothing to be bundled.")
    catalog = catalog_of(config)
    resolved = [resolve_strategy(config, name, catalog) for name in names]
    sources = _Sources()
    described = {one.name: _described(one, sources.origin_of(one.engine)) for one in resolved}
    active_licence()
    licence = Path(os.environ.get(LICENCE_VARIABLE) or SHIPPED_LICENCE)
    return {
        "strategies.json": _json({"strategies": described, "software": software()}),
        "strategies.yaml": _fragment(config, resolved, sources).encode(),
        "licence.json": licence.read_bytes(),
        **sources.members,
    }


def strategy_provenance(config: CoreConfig) -> dict[str, str]:
    """What made the bundle: versions, digests of kernels and arithmetic, and of the configuration."""
    return {**software(), "config_sha384": content_sha384(config)}


class _Sources:
    """Where engines come from, and the bytes of those that are not barstep's own."""

    def __init__(self) -> None:
        self.members: dict[str, bytes] = {}
        self.files: dict[str, str] = {}
        """Paths in the bundle of engine files, by their own."""

    def origin_of(self, engine: StrategyEngine) -> str:
        """`barstep`, or the path of the engine's source in the bundle."""
        if any(engine is own for own in BUILTIN_ENGINES):
            return "barstep"
        found = source_of(engine)
        if found is not None:
            file, data = found
            path = f"engines/files/{_OTHER.sub('_', file.name)}"
            self.files[str(file)] = path
            return self._kept(path, data)
        point = next((each for each in entry_points(group=ENTRY_POINT_GROUP) if each.name == engine.name), None)
        if point is None:
            raise UsageError(f"engine {engine.name!r}: where its source is, is not known; it is of no file or package.")
        return self._kept(*_installed(point))

    def _kept(self, path: str, data: bytes) -> str:
        if self.members.setdefault(path, data) != data:
            raise UsageError(f"two engine files are named {Path(path).name!r}; in a bundle their names must differ.")
        return path


def _installed(point: EntryPoint) -> tuple[str, bytes]:
    """The module that an installed package offers an engine from, under the package's name and version."""
    spec = importlib.util.find_spec(point.module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise UsageError(f"engine {point.name!r}: module {point.module} has no source that could be bundled.")
    package = "unnamed" if point.dist is None else f"{point.dist.name}-{point.dist.version}"
    name = f"engines/installed/{_OTHER.sub('_', package)}/{point.module.replace('.', '/')}.py"
    return name, Path(spec.origin).read_bytes()


def _strategies_of(config: CoreConfig) -> list[str]:
    """Names of the catalog, and of engines that schedules run with their defaults."""
    schedulers = config.runtime.multi_strategy_schedulers.values()
    scheduled = {schedule.strategy for one in schedulers for schedule in one.schedules.values()}
    return sorted({*config.catalog(), *scheduled})


def _described(one: ResolvedStrategy, origin: str) -> dict[str, Any]:
    return {
        "engine": one.engine.name,
        "source": origin,
        "parameters": dict(one.parameters),
        "risk_profile": one.risk_profile,
        "tags": list(one.tags),
        "capability": one.capability,
        "rebalance_threshold": one.rebalance_threshold,
    }


def _fragment(config: CoreConfig, resolved: list[ResolvedStrategy], sources: _Sources) -> str:
    """The strategies and their risk profiles as a configuration."""
    files = [sources.files[str(Path(file).resolve())] for file in config.engine_files if _is_used(file, sources)]
    written = CoreConfig(
        strategies={one.name: config.strategy(one.name) for one in resolved},
        risk_profiles=config.risk_profiles,
        instrument_universes=config.instrument_universes,
        engine_files=files,
    )
    return as_yaml(written)


def _is_used(file: str, sources: _Sources) -> bool:
    return str(Path(file).resolve()) in sources.files


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True, allow_nan=False).encode() + b"\n"

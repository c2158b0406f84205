"""What is installed, what is cached, what is configured, and what to do about it."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from ..config.reading import default_path
from ..data.dataset import read_dataset
from ..data.presets import EMBEDDED_FOLDER
from ..engine.configured import examine as examine_configuration
from ..engine.provenance import arithmetic_fingerprint
from ..errors import ConfigError, DataError
from ..kernels import _jit
from .warmup import cache_state, is_warm


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        status: `fail` keeps barstep from working, `warn` costs time or comfort.
        found: What was found.
        advice: What to do; empty where nothing is to be done.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""


def examine() -> list[Check]:
    """Look at everything, in the order in which one thing needs the other."""
    return [
        _python(),
        _barstep(),
        *_packages(),
        _compiler(),
        _cache(),
        _arithmetic(),
        _datasets(),
        _configuration(),
        _environment(),
    ]


def _python() -> Check:
    found = f"{platform.python_version()} at {sys.executable}, {os.cpu_count()} processors"
    if sys.version_info < (3, 11):  # noqa: UP036 - a source tree on the path is not held to requires-python
        return Check("python", "fail", found, "install Python 3.11 or newer")
    return Check("python", "ok", found)


def _barstep() -> Check:
    place = Path(__file__).resolve().parent.parent
    try:
        return Check("barstep", "ok", f"{metadata.version('barstep')} at {place}")
    except metadata.PackageNotFoundError:
        return Check("barstep", "fail", f"not installed, run from {place}", "pip install -e . in that folder")


def _packages() -> Iterator[Check]:
    """Each package that barstep needs, with the version that is there; extras are not needed."""
    try:
        required = metadata.requires("barstep") or []
    except metadata.PackageNotFoundError:
        return
    for line in required:
        if "extra ==" in line:
            continue
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        try:
            yield Check(name, "ok", f"{metadata.version(name)} (asked for: {line})")
        except metadata.PackageNotFoundError:
            yield Check(name, "fail", "missing", f"pip install '{line}'")


def _compiler() -> Check:
    if _jit.numba_config.DISABLE_JIT:
        return Check("compiler", "warn", "off: kernels run as plain Python", "unset NUMBA_DISABLE_JIT")
    if getattr(_jit.numba_config, "BOUNDSCHECK", None):
        return Check("compiler", "warn", "every index is checked", "unset NUMBA_BOUNDSCHECK for full speed")
    return Check("compiler", "ok", f"on, kernels {_jit.sources_digest()}")


def _cache() -> Check:
    state = cache_state()
    found = f"{state.folder or 'nowhere'}, {state.bytes / 1e6:.1f} MB"
    if not _jit.CACHE_IS_KEPT:
        return Check(
            "cache", "warn", f"{found}; kept for this process only", "set BARSTEP_CACHE_DIR to a folder that you own"
        )
    if not is_warm():
        return Check("cache", "warn", f"{found}; nothing compiled yet", "barstep warmup")
    return Check("cache", "ok", found)


def _arithmetic() -> Check:
    return Check("arithmetic", "ok", f"fingerprint {arithmetic_fingerprint()}")


def _datasets() -> Check:
    """The embedded datasets, read and held against their digests."""
    files = sorted(EMBEDDED_FOLDER.glob("*.parquet"))
    advice = f"barstep data generate --preset embedded --overwrite --output {EMBEDDED_FOLDER}"
    if not files:
        return Check("embedded datasets", "fail", f"none in {EMBEDDED_FOLDER}", advice)
    try:
        bars = sum(read_dataset(path).frame.height for path in files)
    except DataError as problem:
        return Check("embedded datasets", "fail", str(problem), advice)
    return Check("embedded datasets", "ok", f"{len(files)} files, {bars:,} bars, digests right")


def _configuration() -> Check:
    """The configuration that commands read from here."""
    path = default_path()
    try:
        errors = len(examine_configuration(path).errors)
    except ConfigError as error:
        errors = len(error.problems)
    if errors:
        found = f"{path}: {errors} error{'s' if errors > 1 else ''}"
        return Check("configuration", "fail", found, f"barstep config validate {path}")
    return Check("configuration", "ok", f"{path}: sound")


def _environment() -> Check:
    names = sorted(name for name in os.environ if name.startswith(("BARSTEP_", "NUMBA_")))
    own = [f"{name}={os.environ[name]}" for name in names if name not in _jit.SET_HERE]
    return Check("environment", "ok", ", ".join(own) or "nothing set")

"""Engines that come from elsewhere: installed packages, and files that a configuration names.

Loading one runs its code, as importing it would.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path
from types import ModuleType

from ..errors import UsageError
from .strategy import StrategyEngine

ENTRY_POINTS = "barstep.engines"
ATTRIBUTE = "ENGINE"


def installed_engines() -> Iterator[StrategyEngine]:
    """The engines that installed packages offer under the entry point group `barstep.engines`, by name.

    Raises:
        UsageError: An entry point cannot be loaded, or is no engine.
    """
    for entry in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        what = f"the entry point {entry.name!r} ({entry.value})"
        try:
            found = entry.load()
        except Exception as error:
            raise UsageError(f"{what} cannot be loaded: {_one_line(error)}") from error
        yield _engine(found, what)


def engine_from_file(path: Path) -> StrategyEngine:
    """The engine that a Python file defines as `ENGINE`.

    Raises:
        UsageError: There is no such file, it cannot be run, or it defines no engine.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    return _engine(getattr(_module(path.resolve(), str(path)), ATTRIBUTE, None), str(path))


def _module(path: Path, what: str) -> ModuleType:
    """The file as the module that an import from its folder would make, made once.

    A compiled kernel in the cache remembers the name of its module, so that a file has one name in every process.
    """
    name = path.stem
    if name in sys.modules:
        loaded = sys.modules[name]
        if Path(getattr(loaded, "__file__", None) or "").resolve() == path:
            return loaded
        raise UsageError(f"{what}: a module named {name!r} is loaded already; give the file another name")
    spec = util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{what}: is no Python file; its name must end in .py")
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"{what}: cannot be loaded: {_one_line(error)}") from error
    return module


def _engine(found: object, what: str) -> StrategyEngine:
    if not isinstance(found, StrategyEngine):
        raise UsageError(f"{what}: defines no StrategyEngine named {ATTRIBUTE}")
    return found


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"

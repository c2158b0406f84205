"""Engines that stand in a Python file of one's own."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ..errors import UsageError, in_one_line
from .strategy import StrategyEngine

_PREFIX = "barstep_engine_file_"
_SOURCE = "__barstep_source__"


def read_engine_file(path: Path) -> tuple[StrategyEngine, ...]:
    """The engines that a file's module holds, in the order of its names. The file is run, once in a process.

    Raises:
        UsageError: The file cannot be read or run, or has no engine.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; an engine file is a Python file with a StrategyEngine in it")
    engines = {id(value): value for value in vars(_module_of(path)).values() if isinstance(value, StrategyEngine)}
    if not engines:
        raise UsageError(f"{path}: no StrategyEngine in it; docs/own-engine.md shows one")
    return tuple(engines.values())


def _module_of(path: Path) -> ModuleType:
    """The file as a module. Its name is the same in every process, by which compiled kernels are found again."""
    path = path.resolve()
    name = f"{_PREFIX}{hashlib.blake2b(str(path).encode(), digest_size=6).hexdigest()}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    vars(module)[_SOURCE] = path.read_bytes()  # the file may be another when a result is saved
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"{path}: cannot be run: {in_one_line(error)}") from error
    return module


def source_of(engine: StrategyEngine) -> tuple[Path, bytes] | None:
    """The file that an engine was read from, and its bytes as they were then; None where it is from elsewhere."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_PREFIX) and any(value is engine for value in vars(module).values()):
            return Path(str(module.__file__)), vars(module)[_SOURCE]
    return None


def source_bytes(engine: StrategyEngine) -> bytes:
    """The bytes of the file that an engine was read from; none where it is from elsewhere."""
    found = source_of(engine)
    return b"" if found is None else found[1]

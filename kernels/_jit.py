"""The one place that names a compiler option, and the one that decides where compiled code is kept.

`@kernel` compiles a function that works on contiguous float64 and int64 arrays and on scalars:

- `error_model="numpy"`: a division by zero gives inf or NaN as in numpy, with no branch to raise.
- `nogil=True`: threads may run kernels over independent columns side by side.
- `cache=True`: a second process compiles nothing.
- no `fastmath`: it reorders sums, so that results would depend on the processor, and deletes `isnan` guards.

Numba does not notice a change in a function that a kernel calls from another file. So the cache folder carries a
digest of all kernel sources: one edit recompiles them all, and nothing stale is ever loaded.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Intel's short vector math library gives other last bits than libm, by processor. Read when numba is imported.
os.environ["NUMBA_DISABLE_INTEL_SVML"] = "1"
# Sums in eight lanes become vector additions (as clang and rustc do by default): an anchor costs 0.40 instead of
# 0.67 ns a bar. Order of operations and bits stay the same.
os.environ["NUMBA_SLP_VECTORIZE"] = "1"

import numba
from numba.core import config

numba_config: Any = config  # its settings are made when it is imported; no checker sees them

_KERNEL_FOLDER = Path(__file__).resolve().parent
_DIGESTS_KEPT = 3


def sources_digest() -> str:
    """Hex digest of every kernel source, Numba's version and Python's: what compiled code depends on."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"numba {numba.__version__} python {sys.version_info[:2]}".encode())
    for path in sorted(_KERNEL_FOLDER.rglob("*.py")):
        digest.update(path.relative_to(_KERNEL_FOLDER).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def cache_base() -> Path:
    """Folder that holds the compiled kernels of all versions: `$BARSTEP_CACHE_DIR`, or the user's cache folder."""
    chosen = os.environ.get("BARSTEP_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "barstep"


def _private_folder(path: Path) -> Path:
    """Make `path` a folder that only its owner may enter, or raise OSError: code loaded from it is run."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink():
        raise PermissionError(f"{path} is a symbolic link")
    found = path.stat()
    if found.st_uid not in (os.getuid(), 0):
        raise PermissionError(f"{path} belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
    with tempfile.TemporaryFile(dir=path):
        pass
    return path


def _purge_old_digests(base: Path, keep: Path) -> None:
    """Remove all but the newest few digests, so that edits do not fill the disk."""
    others = sorted((p for p in base.iterdir() if p.is_dir() and p != keep), key=lambda p: p.stat().st_mtime)
    for folder in others[: max(0, len(others) + 1 - _DIGESTS_KEPT)]:
        for root, folders, files in os.walk(folder, topdown=False):
            for name in files:
                Path(root, name).unlink(missing_ok=True)
            for name in folders:
                Path(root, name).rmdir()
        folder.rmdir()


def _choose_cache_folder() -> Path:
    base, digest = cache_base(), sources_digest()
    try:
        is_new = not (base / digest).is_dir()
        folder = _private_folder(_private_folder(base) / digest)
        if is_new:
            _purge_old_digests(base, folder)
    except (OSError, RuntimeError) as problem:  # RuntimeError: no home folder is known
        folder = Path(tempfile.mkdtemp(prefix="barstep-"))
        warnings.warn(
            f"compiled kernels cannot be kept in {base} ({problem}); they are compiled anew in each process. "
            "Point BARSTEP_CACHE_DIR at a folder that you own and can write.",
            RuntimeWarning,
            stacklevel=2,
        )
    return folder


CACHE_FOLDER = _choose_cache_folder()
_registry: list[Any] = []


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on its first call with barstep's options, and keep the machine code for later processes."""
    others = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = str(CACHE_FOLDER)  # read when the decorator runs; other libraries keep their own
    try:
        compiled = numba.njit(function, error_model="numpy", nogil=True, cache=True)
    finally:
        numba_config.CACHE_DIR = others
    _registry.append(compiled)
    return compiled


def compiled_now() -> int:
    """How many signatures this process compiled itself; what came from the cache does not count."""
    return sum(sum(k.stats.cache_misses.values()) for k in _registry if hasattr(k, "stats"))


def loaded_from_cache() -> int:
    """How many signatures this process took from the cache folder."""
    return sum(sum(k.stats.cache_hits.values()) for k in _registry if hasattr(k, "stats"))

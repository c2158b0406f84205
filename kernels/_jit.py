"""The one place that names a compiler option, and the one that decides where compiled code is kept.

`@kernel` compiles a function that works on contiguous float64 and int64 arrays and on scalars:

- `error_model="numpy"`: a division by zero gives inf or NaN as in numpy, with no branch to raise.
- `nogil=True`: threads may run kernels over independent columns side by side.
- `cache=True`: a second process compiles nothing.
- no `fastmath`: it reorders sums, so that results would depend on the processor, and deletes `isnan` guards.

Numba does not notice a change in a function that a kernel calls from another file. So the cache folder carries a
digest of all kernel sources: one edit recompiles them all, and nothing stale is ever loaded.

With `NUMBA_DISABLE_JIT=1` a kernel is the plain Python function, and nothing is counted.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from inspect import isfunction
from pathlib import Path
from threading import Lock
from typing import Any

SET_HERE = {
    # Intel's short vector math library gives other last bits than libm, by processor.
    "NUMBA_DISABLE_INTEL_SVML": "1",
    # Sums in eight lanes become vector additions (as clang and rustc do by default): an anchor costs 0.40 instead of
    # 0.67 ns a bar. Order of operations and bits stay the same.
    "NUMBA_SLP_VECTORIZE": "1",
}
"""Settings that Numba reads when it is imported."""
os.environ.update(SET_HERE)

import numba
from numba.core import config, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.errors import ForceLiteralArg, TypingError
from numba.core.registry import CPUDispatcher

numba_config: Any = config  # its settings are made when it is imported; no checker sees them

_KERNEL_FOLDER = Path(__file__).resolve().parent
_DIGESTS_KEPT = 8  # some environments and settings side by side, each 1 to 2 MB
_DIGEST_NAME = re.compile("[0-9a-f]{32}")
_CODE_SETTINGS = ("BOUNDSCHECK", "OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")


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
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "barstep"


def _cache_name() -> str:
    """Name of the folder for these sources and compiler settings, which Numba's own key leaves out.

    Without them a run with bounds checks would load code that has none.
    """
    settings = [str(getattr(numba_config, name, None)) for name in _CODE_SETTINGS]
    return hashlib.blake2b(repr((sources_digest(), settings)).encode(), digest_size=16).hexdigest()


def _own_folder(path: Path) -> int:
    """Make `path` a folder if there is none and return its mode; raise OSError where it is another's, or a link."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise PermissionError(f"{path} is a symbolic link")
    if found.st_uid not in (os.getuid(), 0):
        raise PermissionError(f"{path} belongs to another user")
    return found.st_mode


def _prepare_cache_folder(base: Path) -> Path:
    """Make the folder in `base` that only its owner may enter: code loaded from it is run.

    `base` may be a folder that holds other things, so its mode and what lies in it are left alone.
    """
    mode = _own_folder(base)
    if mode & 0o022 and not mode & stat.S_ISVTX:
        raise PermissionError(f"others may write to {base}")
    folder = base / _cache_name()
    if stat.S_IMODE(_own_folder(folder)) & 0o077:
        folder.chmod(0o700)
    with tempfile.TemporaryFile(dir=folder):
        pass
    os.utime(folder)
    with suppress(OSError):  # another process may be tidying up too
        _purge_old_digests(base, folder)
    return folder


def _purge_old_digests(base: Path, keep: Path) -> None:
    """Remove all but the last used few digests, so that edits do not fill the disk. Nothing else is touched."""
    others = [p for p in base.iterdir() if _DIGEST_NAME.fullmatch(p.name) and p != keep and not p.is_symlink()]
    others.sort(key=lambda p: p.stat().st_mtime, reverse=True)
    for folder in others[_DIGESTS_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _forget(folder: Path, process: int) -> None:
    """Remove a temporary folder at the end of the process that made it, not of its forked children."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _temporary_folder() -> Path | None:
    """A folder for this process alone, or None where not even that can be made: then nothing is kept."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="barstep-"))
    except OSError:
        return None
    atexit.register(_forget, folder, os.getpid())
    return folder


def _choose_cache_folder() -> tuple[Path | None, bool]:
    """The folder for compiled code, and whether later processes will find it there."""
    base: Path | str = "the user's cache folder"
    try:
        base = cache_base()
        return _prepare_cache_folder(base), True
    except (OSError, RuntimeError) as problem:  # RuntimeError: no home folder is known
        warnings.warn(
            f"compiled kernels cannot be kept in {base} ({problem}); they are compiled anew in each process. "
            "Point BARSTEP_CACHE_DIR at a folder that you own and can write.",
            RuntimeWarning,
            stacklevel=2,
        )
        return _temporary_folder(), False


_OPTIONS: dict[str, Any] = {
    "nopython": True, "boundscheck": None, "error_model": "numpy", "nogil": True, "no_cfunc_wrapper": True,
}  # fmt: skip
CACHE_FOLDER, CACHE_IS_KEPT = _choose_cache_folder()
_CHOOSING_FOLDER = Lock()  # Numba has one setting for all, and kernels are made while others are compiled
registry: list[Any] = []
"""Every kernel that was made in this process."""


def _folder_for(base: Path, module: str) -> Path:
    """Where a module's code is kept.

    What was compiled under one name of a module cannot be loaded under another, but Numba goes by the file alone: a
    file that is imported under two names has two folders.
    """
    return base if module.startswith(f"{__name__.partition('.')[0]}.") else base / module


class _Kernel(CPUDispatcher):
    """A kernel as Python calls it.

    The code that takes Python's arguments apart is as long as many a kernel is. What kernels call has none of it (with
    it everything took a tenth longer to compile), and is compiled once, not anew for each number that stands in a call.

    Attributes:
        shared: Whether kernels call this one, too.
    """

    shared = True

    @cached_property
    def inner(self) -> Any:
        """What kernels call. It is made when a kernel is compiled that calls it: most processes load what is called."""
        if self.shared:
            return self
        return _registered(_Inner(self.py_func, targetoptions={**self.targetoptions, "no_cpython_wrapper": True}))

    @property
    def _numba_type_(self) -> Any:
        return types.Dispatcher(self if self.is_compiling else self.inner)  # one that calls itself is one

    def get_call_template(self, args: Any, kws: Any) -> Any:
        plain = tuple(map(types.unliteral, args)), {name: types.unliteral(each) for name, each in kws.items()}
        try:
            return super().get_call_template(*plain)
        except (TypingError, ForceLiteralArg):
            if plain == (tuple(args), dict(kws)):
                raise
            return super().get_call_template(args, kws)  # it may want the number itself, as an index into a tuple is


class _InnerFiles(CompileResultCacheImpl):
    """Where code is kept that Python cannot call: Numba goes by function and types, and would call it from Python."""

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        return f"inner-{super().get_filename_base(fullname, abiflags)}"


class _InnerCache(FunctionCache):
    _impl_class = _InnerFiles


class _Inner(_Kernel):
    """What kernels call."""

    def enable_caching(self) -> None:
        self._cache = _InnerCache(self.py_func)


def kernel(
    function: Callable[..., Any] | None = None,
    *,
    allocates: bool = False,
    inlined: bool = False,
    shared: bool = False,
) -> Any:
    """Compile `function` on its first call with barstep's options, and keep the machine code for later processes.

    Arrays belong to whoever calls a kernel, so it counts no references and a view costs nothing (with counting, some
    20 ns: half of what a call for one bar did). A kernel that makes scratch arrays says `@kernel(allocates=True)`; one
    that takes so many that handing them on takes time, or that does little more than call what is long, `inlined=True`:
    it becomes a part of the kernel that calls it before anything is compiled. It takes 30 arguments at most; where it
    allocates, its caller says so, too.
    `shared=True`: Python and kernels both call it, so that it is compiled once for both.
    """
    if function is None:
        return lambda decorated: kernel(decorated, allocates=allocates, inlined=inlined, shared=shared)
    if not isfunction(function):
        raise TypeError(f"@kernel: {function!r} is no function that was defined with def.")
    if numba_config.DISABLE_JIT:
        return function
    compiled = _Kernel(
        function, targetoptions={**_OPTIONS, "_nrt": allocates, "inline": "always" if inlined else "never"}
    )
    compiled.shared = shared
    return _registered(compiled)


def _registered(compiled: _Kernel) -> _Kernel:
    """The kernel, with its code kept in the folder for its module."""
    registry.append(compiled)
    module = compiled.py_func.__module__
    # A module that is not registered under its name cannot be found again by a process that loads the code.
    if CACHE_FOLDER is not None and module in sys.modules:
        with _CHOOSING_FOLDER:
            others = numba_config.CACHE_DIR
            numba_config.CACHE_DIR = str(_folder_for(CACHE_FOLDER, module))  # read by the next call; others keep theirs
            try:
                with suppress(RuntimeError):  # typed at a prompt: there is no file whose changes Numba could notice
                    compiled.enable_caching()
            finally:
                numba_config.CACHE_DIR = others
    return compiled


def compiled_now() -> int:
    """How many signatures this process compiled itself; what came from the cache does not count."""
    return sum(sum(k.stats.cache_misses.values()) for k in registry)


def loaded_from_cache() -> int:
    """How many signatures this process took from the cache folder."""
    return sum(sum(k.stats.cache_hits.values()) for k in registry)

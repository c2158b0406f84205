"""The cache of compiled kernels: a second process compiles nothing, nothing stale is loaded, no one else's code is run.

Most tests run a small package of kernels (the real `_jit` beside two kernels in two files) in processes of their own.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from barstep.kernels import _jit

DIGEST_LENGTH = 32
CALL_TWICE = (
    "from small.kernels import _jit, caller\n"
    "result = caller.twice(3.0)\n"
    "print(result, _jit.compiled_now(), _jit.loaded_from_cache())"
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A package of two kernels, one calling the other from another file, with the real `_jit`."""
    kernels = tmp_path / "tree" / "small" / "kernels"
    kernels.mkdir(parents=True)
    (kernels.parent / "__init__.py").touch()
    (kernels / "__init__.py").touch()
    shutil.copy(_jit.__file__, kernels / "_jit.py")
    (kernels / "callee.py").write_text("from ._jit import kernel\n\n\n@kernel\ndef add(x, y):\n    return x + y\n")
    (kernels / "caller.py").write_text(
        "from ._jit import kernel\nfrom .callee import add\n\n\n@kernel\ndef twice(x):\n    return add(x, x)\n"
    )
    return kernels


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Where the cache is to be; not made yet."""
    return tmp_path / "cache"


@pytest.fixture
def run(small: Path, base: Path, tmp_path: Path) -> Run:
    """Run code in a process that finds the small package and keeps its kernels in `base`, with the JIT on."""

    def start(code: str = CALL_TWICE, *, options: tuple[str, ...] = (), **environment: str) -> object:
        settings = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path / "home"),
            "TMPDIR": str(tmp_path / "temporary"),
            "PYTHONPATH": str(small.parents[1]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "BARSTEP_CACHE_DIR": str(base),
        }
        (tmp_path / "temporary").mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, *options, "-c", code],
            env=settings | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return start


def answer(finished: subprocess.CompletedProcess[str]) -> tuple[float, int, int]:
    """The result, how many kernels were compiled and how many were loaded; nothing was said on stderr."""
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    result, compiled, loaded = finished.stdout.split()
    return float(result), int(compiled), int(loaded)


def test_a_second_process_compiles_nothing(run: Run) -> None:
    """What one process compiled, the next one loads."""
    result, compiled, loaded = answer(run())
    assert (result, loaded) == (6.0, 0)
    assert compiled >= 1
    assert answer(run()) == (6.0, 0, 1)


def test_a_real_kernel_is_loaded_by_a_second_process(run: Run) -> None:
    """The same holds for a kernel of the package, with all that it calls."""
    root = str(Path(_jit.__file__).parents[1])
    code = (
        "import importlib.util as u, sys\n"
        f"root = {root!r}\n"
        "spec = u.spec_from_file_location('barstep', root + '/__init__.py', submodule_search_locations=[root])\n"
        "sys.modules['barstep'] = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(sys.modules['barstep'])\n"
        "import numpy as np\n"
        "from barstep.kernels import _jit, recurrences\n"
        "out = np.empty(4)\n"
        "recurrences.ema(np.arange(4.0), 1.0, np.zeros(recurrences.SMOOTHED_CARRY), out, 0, 4)\n"
        "print(out[3], _jit.compiled_now(), _jit.loaded_from_cache())"
    )
    result, compiled, _ = answer(run(code))
    assert result == 3.0
    assert compiled >= 1
    assert answer(run(code)) == (3.0, 0, 1)


def test_python_is_never_given_what_kernels_call(run: Run) -> None:
    """Code without what takes Python's arguments apart lies in files of its own, wherever Numba keeps them."""
    code = (
        "from small.kernels import _jit, caller, callee\n"
        "print(caller.twice(3.0) + callee.add(1.0, 2.0), _jit.compiled_now(), _jit.loaded_from_cache())"
    )
    for locator in ("UserWideCacheLocator", "InTreeCacheLocator"):
        settings = {"NUMBA_CACHE_LOCATOR_CLASSES": locator}
        result, compiled, _ = answer(run(code, **settings))
        assert (result, compiled) == (9.0, 3)
        assert answer(run(code, **settings)) == (9.0, 0, 2)


def test_kernels_that_call_themselves_or_ask_for_a_number(run: Run, small: Path) -> None:
    """Both compile, and are found in the cache."""
    (small / "callee.py").write_text(
        "from ._jit import kernel\n\n\n@kernel\ndef fact(n):\n    return n * fact(n - 1) if n > 1 else 1\n\n\n"
        "@kernel\ndef place(row, k):\n    return row[k]\n"
    )
    (small / "caller.py").write_text(
        "from ._jit import kernel\nfrom .callee import fact, place\n\n\n@kernel\ndef twice(x):\n"
        "    return place((x, 1), 0) + place((x, 1), 1) + fact(3) + fact(4)\n"
    )
    code = (
        "from small.kernels import _jit, caller, callee\n"
        "print(caller.twice(3.0) + callee.fact(5), _jit.compiled_now(), _jit.loaded_from_cache())"
    )
    assert answer(run(code))[0] == 154.0
    assert answer(run(code)) == (154.0, 0, 2)


def test_a_number_in_a_call_makes_no_other_kernel(run: Run, small: Path) -> None:
    """What is called with 1, with 2 and with a name is compiled once."""
    (small / "caller.py").write_text(
        "from ._jit import kernel\nfrom .callee import add\n\n\n@kernel\ndef twice(x):\n"
        "    return add(x, 1) + add(x, 2) + add(x, y=3)\n"
    )
    assert answer(run()) == (15.0, 2, 0)


def test_a_kernel_that_cannot_be_compiled_is_tried_once(run: Run, small: Path) -> None:
    """However deep it is called: were each caller to try twice, each call more would double the wait for the error."""
    (small / "callee.py").write_text("from ._jit import kernel\n\n\n@kernel\ndef add(x, y):\n    return x.nothing\n")
    (small / "caller.py").write_text(
        "from ._jit import kernel\nfrom .callee import add\n\n\n"
        "@kernel\ndef low(x):\n    return add(x, x)\n\n\n@kernel\ndef middle(x):\n    return low(x)\n\n\n"
        "@kernel\ndef twice(x):\n    return middle(x)\n"
    )
    code = (
        "from small.kernels import _jit, caller\n"
        "try:\n    caller.twice(3.0)\nexcept Exception as error:\n    print(type(error).__name__, _jit.compiled_now())"
    )
    assert run(code).stdout.split() == ["TypingError", "4"]


def test_what_is_no_function_is_no_kernel() -> None:
    """A class, a built-in, or what is compiled already: said by name."""
    for wrong in (len, dict, _jit.kernel(lambda x: x)):
        with pytest.raises(TypeError, match="is no function that was defined with def"):
            _jit.kernel(wrong)


def test_an_edited_callee_is_never_answered_from_the_cache(run: Run, small: Path, base: Path) -> None:
    """A change in a file that a kernel calls from gives the new result, in another folder."""
    assert answer(run())[0] == 6.0
    (small / "callee.py").write_text((small / "callee.py").read_text().replace("x + y", "x * y"))
    result, compiled, _ = answer(run())
    assert result == 9.0
    assert compiled >= 1
    assert len(list(base.iterdir())) == 2


def test_bounds_checked_code_is_kept_apart(run: Run, small: Path, base: Path) -> None:
    """A run with bounds checks does not load code that was compiled without them."""
    (small / "caller.py").write_text("from ._jit import kernel\n\n\n@kernel\ndef at(x, k):\n    return x[k]\n")
    code = "import numpy as np\nfrom small.kernels import caller\ncaller.at(np.zeros(3), 3)"
    assert run(code).returncode == 0
    assert "IndexError" in run(code, NUMBA_BOUNDSCHECK="1").stderr
    assert len(list(base.iterdir())) == 2


def test_the_folder_is_its_owners_alone(run: Run, base: Path) -> None:
    """The base that is made and the folder in it have mode 0700, whatever the umask."""
    run("import os\nos.umask(0)\nimport small.kernels._jit")
    (folder,) = base.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (base, folder)] == [0o700, 0o700]
    folder.chmod(0o755)
    run("import small.kernels._jit")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_base_that_was_there_is_left_as_it_is(run: Run, base: Path) -> None:
    """A folder that is used for other things too keeps its mode and its contents, over many versions."""
    base.mkdir(mode=0o755)
    kept = [base / "photos", base / ("a" * DIGEST_LENGTH + "b"), base / ("z" * DIGEST_LENGTH)]
    for folder in kept:
        folder.mkdir()
    for version in range(_jit._DIGESTS_KEPT + 3):
        (base / f"{version:032x}").mkdir()
    run("import small.kernels._jit")
    assert stat.S_IMODE(base.stat().st_mode) == 0o755
    assert all(folder.is_dir() for folder in kept)


def test_old_digests_are_purged_and_the_last_used_kept(run: Run, base: Path, tmp_path: Path) -> None:
    """Only the few versions that were used last stay; a link is not followed."""
    base.mkdir(mode=0o700)
    old = [base / f"{version:032x}" for version in range(12)]
    for age, folder in enumerate(old):
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "kernel.nbc").touch()
        os.utime(folder, (age, age))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (base / ("f" * DIGEST_LENGTH)).symlink_to(elsewhere)
    run("import small.kernels._jit")
    left = sorted(path for path in base.iterdir() if not path.is_symlink())
    assert len(left) == _jit._DIGESTS_KEPT
    assert set(old) & set(left) == set(old[-_jit._DIGESTS_KEPT + 1 :])
    assert elsewhere.is_dir()
    assert answer(run())[0] == 6.0


def _make_a_file(base: Path) -> None:
    base.write_text("not a folder")


def _make_a_link(base: Path) -> None:
    target = base.with_name("target")
    target.mkdir()
    base.symlink_to(target)


def _make_writable_by_all(base: Path) -> None:
    base.mkdir()
    base.chmod(0o777)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_make_a_file, "File exists"),
        (_make_a_link, "is a symbolic link"),
        (_make_writable_by_all, "others may write"),
    ],
)
def test_a_base_that_cannot_be_trusted_is_survived(
    run: Run, base: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """Kernels work, with exactly one warning that says why and what to do, and nothing is left behind."""
    spoil(base)
    finished = run()
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[0] == "6.0"
    assert finished.stderr.count("RuntimeWarning") == 1
    assert reason in finished.stderr
    assert "BARSTEP_CACHE_DIR" in finished.stderr
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    "folder",
    [
        "/proc/barstep",  # nobody may write there, not even root
        "/dev/null/barstep",
    ],
)
def test_a_read_only_base_is_survived(run: Run, folder: str) -> None:
    """Where the cache cannot be written, kernels are compiled for this process, with one warning."""
    finished = run(BARSTEP_CACHE_DIR=folder)
    assert finished.stdout.split()[0] == "6.0", finished.stderr
    assert finished.stderr.count("RuntimeWarning") == 1


def test_no_folder_at_all_is_survived(run: Run) -> None:
    """Where there is no temporary folder either, kernels compile and nothing is kept."""
    code = "import tempfile\ntempfile.tempdir = '/proc/none'\n" + CALL_TWICE.replace(
        "_jit.loaded_from_cache()", "_jit.CACHE_FOLDER"
    )
    finished = run(code, BARSTEP_CACHE_DIR="/proc/barstep")
    assert finished.stdout.split()[::2] == ["6.0", "None"], finished.stderr
    assert finished.stderr.count("RuntimeWarning") == 1


def test_an_unknown_home_is_survived(run: Run) -> None:
    """A container's user without a home folder gets a warning and working kernels."""
    code = (
        "import pathlib\n"
        "def unknown():\n"
        "    raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = unknown\n"
    )
    finished = run(code + CALL_TWICE, BARSTEP_CACHE_DIR="")
    assert finished.stdout.split()[0] == "6.0", finished.stderr
    assert finished.stderr.count("RuntimeWarning") == 1
    assert "home directory" in finished.stderr


def test_a_warning_can_be_an_error(run: Run) -> None:
    """With warnings as errors the import fails in place of going on uncached."""
    assert "RuntimeWarning" in run(options=("-W", "error"), BARSTEP_CACHE_DIR="/proc/barstep").stderr


def test_the_digests_folder_may_not_be_a_link(run: Run, base: Path, tmp_path: Path) -> None:
    """A link in the place of the folder that code is loaded from is refused."""
    run("import small.kernels._jit")
    (folder,) = base.iterdir()
    folder.rename(tmp_path / "planted")
    folder.symlink_to(tmp_path / "planted")
    finished = run()
    assert "is a symbolic link" in finished.stderr
    assert finished.stdout.split()[0] == "6.0"


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code in a folder that belongs to neither this user nor root is not loaded."""
    if os.getuid() == 0:
        os.chown(tmp_path, 12_345, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
    with pytest.raises(PermissionError, match="another user"):
        _jit._own_folder(tmp_path)


def test_forked_children_leave_the_temporary_folder_alone(tmp_path: Path) -> None:
    """Only the process that made the folder removes it."""
    _jit._forget(tmp_path, os.getpid() + 1)
    assert tmp_path.is_dir()
    _jit._forget(tmp_path, os.getpid())
    assert not tmp_path.exists()


def test_without_the_jit_kernels_are_plain_functions(run: Run) -> None:
    """With NUMBA_DISABLE_JIT a kernel runs as Python, and the counts are zero."""
    assert answer(run(NUMBA_DISABLE_JIT="1")) == (6.0, 0, 0)


def test_a_kernel_typed_at_the_prompt_works(run: Run) -> None:
    """A user's kernel that stands in no file is compiled, though it cannot be kept."""
    finished = run("from small.kernels._jit import kernel\n@kernel\ndef f(x):\n    return x + 1\nprint(f(1))")
    assert (finished.stdout.strip(), finished.stderr) == ("2", "")


def test_a_module_loaded_by_hand_is_not_kept(run: Run, tmp_path: Path) -> None:
    """A file that is run under a name nobody can import works in every process: its code is not kept."""
    (tmp_path / "mine.py").write_text("from small.kernels._jit import kernel\n@kernel\ndef f(x):\n    return x + 1\n")
    code = (
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('by_hand', {str(tmp_path / 'mine.py')!r})\n"
        "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\nprint(module.f(1))"
    )
    for _ in range(2):
        finished = run(code)
        assert (finished.stdout.strip(), finished.stderr) == ("2", "")


def test_scratch_arrays_are_asked_for(run: Run, small: Path) -> None:
    """A kernel may make scratch arrays where it says so, and is refused where it does not."""
    body = "    scratch = np.empty(3)\n    scratch[:] = x\n    return scratch.sum()\n"
    head = "import numpy as np\nfrom ._jit import kernel\n\n\n"
    (small / "caller.py").write_text(f"{head}@kernel(allocates=True)\ndef f(x):\n{body}")
    assert run("from small.kernels.caller import f\nprint(f(2.0))").stdout.strip() == "6.0"
    (small / "caller.py").write_text(f"{head}@kernel\ndef f(x):\n{body}")
    assert "TypingError" in run("from small.kernels.caller import f\nf(2.0)").stderr


def test_other_libraries_keep_their_own_cache(run: Run, base: Path) -> None:
    """Numba's setting for the cache folder is as it was after a kernel was declared."""
    code = "from small.kernels import caller\nfrom numba.core import config\nprint(config.CACHE_DIR)"
    assert run(code, NUMBA_CACHE_DIR="/somewhere/else").stdout.strip() == "/somewhere/else"


def test_the_digest_is_of_the_sources(run: Run, small: Path) -> None:
    """It is the same in every process, and changes with a file's content or name."""
    code = "from small.kernels import _jit\nprint(_jit.sources_digest())"
    digests = [run(code).stdout, run(code).stdout]
    (small / "callee.py").write_text((small / "callee.py").read_text() + "\n")
    digests.append(run(code).stdout)
    (small / "caller.py").rename(small / "renamed.py")
    digests.append(run(code).stdout)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3

"""A terminal in a folder like a clone's, with as few processes as there can be.

`barstep` is called in this process, as its entry point calls it, since a start of its own costs a second or two; what a
shell is needed for goes to bash. `&` at a line's end begins a job, `kill %1 && wait %1` ends one.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from barstep.cli.app import main
from barstep.replay.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
PORT = "8815"
"""Where the shipped configuration's paper venue is; each terminal has a port of its own instead."""

CLOCK = SystemClock()
_SHELL = re.compile(r"[|<>;&`*?]|\$\(")
_KILL = re.compile(r"kill %(\d+) && wait %\1")
_STARTS_SECONDS = 120.0
_COPIED = ("config", "docs", "pyproject.toml", ".gitignore")
_LINKED = ("benchmarks", "data", "deploy", "ops")


@dataclass(frozen=True)
class Ran:
    """What a command gave back: its exit code, and all that it printed."""

    code: int
    told: str


class Terminal:
    """A folder like a clone's in which commands are typed; leaving it ends its jobs.

    Variables that are exported hold until it is left.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._port = _free_port()
        self._jobs: list[_Job] = []
        self._before = dict(os.environ)
        self._was_in = Path.cwd()

    def __enter__(self) -> Terminal:
        self.folder.mkdir(exist_ok=True)
        _make_clone(self.folder, self._port)
        os.chdir(self.folder)
        for name in ("BARSTEP_TOKEN", "CORE_SCHEDULER_TOKEN", "BARSTEP_ADAPTER_TOKEN"):
            os.environ.pop(name, None)
        author = {"GIT_AUTHOR_NAME": "operator", "GIT_AUTHOR_EMAIL": "operator@example.com"}
        committer = {name.replace("AUTHOR", "COMMITTER"): value for name, value in author.items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        os.environ.update(author | committer | {"PATH": path, "COLUMNS": "200", "GIT_CONFIG_GLOBAL": os.devnull})
        _git("init", "--quiet", "--initial-branch=main")
        _git("add", "config")
        _git("commit", "--quiet", "--message=The configuration as it was shipped")
        return self

    def __exit__(self, *_: object) -> None:
        for job in self._jobs:
            job.end()
        os.chdir(self._was_in)
        os.environ.clear()
        os.environ.update(self._before)

    def type(self, command: str, is_said: Callable[[str], bool] = lambda _: True) -> Ran:
        """Type a command. That of a job comes back once what it has printed is what was said."""
        command = command.replace("\\\n", " ").replace(PORT, self._port)
        killed = _KILL.fullmatch(command)
        if killed:
            ran = self._jobs[int(killed[1]) - 1].end()
        elif command.endswith(" &"):
            self._jobs.append(_Job(command.removesuffix(" &"), self.folder / f".job{len(self._jobs)}"))
            ran = self._jobs[-1].begin(lambda told: is_said(self._as_written(told)))
        elif command.startswith("export "):
            ran = _export(command)
        elif command.startswith("barstep ") and not _SHELL.search(command):
            ran = _called([os.path.expandvars(word) for word in shlex.split(command)])
        else:
            ran = _in_shell(command)
        return Ran(ran.code, self._as_written(ran.told))

    @property
    def jobs(self) -> int:
        """How many were begun: the number of the last one."""
        return len(self._jobs)

    def _as_written(self, told: str) -> str:
        return told.replace(self._port, PORT)


class _Job:
    """A process beside the others, whose output is looked at as it comes."""

    def __init__(self, command: str, log: Path) -> None:
        self._log, self._seen = log, 0
        with log.open("wb") as out:
            self._process = subprocess.Popen(shlex.split(command), stdout=out, stderr=subprocess.STDOUT)

    def begin(self, is_said: Callable[[str], bool]) -> Ran:
        """Wait until it has printed what it should, or has ended."""
        deadline = CLOCK.monotonic_us() + round(_STARTS_SECONDS * 1e6)
        while not is_said(self._log.read_text()) and self._process.poll() is None and CLOCK.monotonic_us() < deadline:
            CLOCK.sleep_us(50_000)
        told = self._log.read_text()
        self._seen = len(told)
        return Ran(self._process.poll() or 0, told)

    def end(self) -> Ran:
        """SIGTERM; then what it has printed since."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return Ran(code, self._log.read_text()[self._seen :])


def _called(words: list[str]) -> Ran:
    told, argv = io.StringIO(), sys.argv
    sys.argv = words
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = main()
    finally:
        sys.argv = argv
    return Ran(code, told.getvalue())


def _in_shell(command: str) -> Ran:
    words = ["bash", "-c", command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    return Ran(done.returncode, done.stdout)


def _export(command: str) -> Ran:
    name = command.removeprefix("export ").split("=")[0]
    ran = _in_shell(f'{command} && printf %s "${name}"')
    if ran.code == 0:
        os.environ[name] = ran.told
    return ran if ran.code else Ran(0, "")


def _make_clone(folder: Path, port: str) -> None:
    for name in _COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name in _LINKED:
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    (folder / "tests").mkdir()
    for path in (ROOT / "tests").glob("*.*"):
        shutil.copy(path, folder / "tests")
    core = folder / "config/core.yaml"
    core.write_text(core.read_text().replace(f"localhost:{PORT}", f"localhost:{port}"))


def _git(*words: str) -> None:
    subprocess.run([shutil.which("git") or "git", *words], check=True, capture_output=True)


def _free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])

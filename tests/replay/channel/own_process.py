"""A server in a process of its own, as tests see it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from barstep.replay.channel.identity import Identity
from serving_process import PEMS, status

HERE = Path(__file__).parent


class Process:
    """A server in another process."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, str(HERE / "serving_process.py"), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("grpc")
        self.port = int(self.address.rpartition(":")[2])

    @property
    def peak(self) -> int:
        return status(self.process.pid, "VmHWM")

    def end(self) -> int:
        """Have it end; its exit code, which is there within 5 seconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            return self.process.wait(5)
        finally:
            self.process.kill()


@contextmanager
def process(*arguments: str) -> Iterator[Process]:
    """A server that ends with the test."""
    one = Process(*arguments)
    try:
        yield one
    finally:
        one.end()


def folder_of(identity: Identity, folder: Path) -> str:
    """A folder in which the process finds what it shows and trusts."""
    for name in PEMS:
        (folder / f"{name}.pem").write_bytes(getattr(identity, name))
    return str(folder)

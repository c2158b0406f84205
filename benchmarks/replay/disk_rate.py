"""What the disk does by itself with the bytes of a journal."""

from __future__ import annotations

import os
import time  # noqa: TID251 - a benchmark times things
from collections.abc import Sequence
from pathlib import Path

from barstep.replay.journal.disk import RealDisk


class CountedDisk(RealDisk):
    """A real disk that keeps the sizes of the groups that were written to it."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def write(self, descriptor: int, data: bytes) -> None:
        super().write(descriptor, data)
        self.groups.append(len(data))


def rate_of_disk(path: Path, groups: Sequence[int]) -> float:
    """Seconds of writing groups of these sizes to one file, each with its fdatasync, and nothing else."""
    content = os.urandom(max(groups))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        began = time.perf_counter()
        for size in groups:
            os.write(descriptor, content[:size])
            os.fdatasync(descriptor)
        return time.perf_counter() - began
    finally:
        os.close(descriptor)
        path.unlink()

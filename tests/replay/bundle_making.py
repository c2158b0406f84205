"""Bundles of certificates for tests, at times of their own."""

from __future__ import annotations

from pathlib import Path

from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import init_bundle

NOW_US = 1_704_067_200_000_000
DAY_US = 86_400_000_000


def made(folder: Path, bundle: str = "core-oem", *, now_us: int = NOW_US, days: int = 90) -> BundleFolder:
    """A bundle, under its folder of bundles."""
    files = BundleFolder(folder, bundle)
    init_bundle(files, host="localhost", client="loop", days=days, now_us=now_us)
    return files

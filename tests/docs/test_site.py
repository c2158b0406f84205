"""The pages as a site: it builds without a warning, and fetches nothing from a network."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import ROOT

FETCHED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^\">]+")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew."""
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        assert not os.environ.get("BARSTEP_STRICT"), "mkdocs-material is not installed: extra docs"
        pytest.skip("mkdocs-material is not installed: extra docs")
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


def test_every_page_is_in_it(site: Path) -> None:
    """At its name, with the style of its own."""
    pages = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").glob("**/*.md")]
    assert len(pages) > 30
    for page in pages:
        assert "site.css" in (site / page).read_text()


def test_it_fetches_nothing_from_elsewhere(site: Path) -> None:
    """No script, style, font or picture of another host."""
    fetched = {found for path in site.glob("**/*.html") for found in FETCHED.findall(path.read_text())}
    assert not fetched
    styles = [path for path in site.glob("**/*.css") if re.search(r"url\([\"']?(?:https?:)?//", path.read_text())]
    assert not styles

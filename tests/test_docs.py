"""What the documents say is run."""

import os
import re
import sys
from pathlib import Path

import pytest
from barstep.cli.app import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "docs/capital-policies.md",
    "docs/feeds.md",
    "docs/fills.md",
    "docs/metrics.md",
    "docs/portfolio.md",
    "docs/kernel-contract.md",
    "docs/own-engine.md",
    "docs/quickstart.md",
    "docs/runtime.md",
    "docs/walk-forward.md",
    "docs/sweep.md",
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def python_blocks(page: Path) -> list[str]:
    """The python code blocks of a page, in order; signatures alone are left out."""
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "\n" in block.strip()]


@pytest.mark.parametrize("name", PAGES)
def test_python_blocks_run(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The python blocks of a page run one after another, from a clone's root, as a reader would type them."""
    page = ROOT / name
    blocks = python_blocks(page)
    assert blocks, f"{name} shows no python"
    monkeypatch.chdir(tmp_path)
    for entry in ("config", "data", "docs"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    names: dict[str, object] = {}
    if "bs.load" not in blocks[0]:
        exec("import barstep as bs\nbars = bs.load('data/backtests/normalized/binance_BTCUSDT_1h.parquet')", names)  # noqa: S102
    for block in blocks:
        exec(compile(block, name, "exec"), names)  # noqa: S102
    sys.modules.pop("donchian", None)


def test_the_quickstart_commands_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every `barstep` command of the quickstart ends well, typed in order from a clone's root."""
    page = (ROOT / "docs/quickstart.md").read_text()
    commands = [
        line.removeprefix("$ barstep ").split()
        for block in re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if line.startswith("$ barstep ")
    ]
    monkeypatch.chdir(tmp_path)
    for entry in ("config", "data"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    rows = "".join(f"2024-03-{1 + k // 24:02d} {k % 24:02d}:00:00,1,2,0.5,1.5,10\n" for k in range(72))
    (tmp_path / "my_download.csv").write_text(f"date,open,high,low,close,volume\n{rows}")
    assert len(commands) >= 9
    for words in commands:
        monkeypatch.setattr(sys, "argv", ["barstep", *words])
        assert main() == 0, " ".join(words)
    assert (tmp_path / "results" / "binance_ETHUSDT_1h" / "result.json").exists()


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that is there."""
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_example_engine_is_as_short_as_the_page_says() -> None:
    """The example engine has the number of lines that its page gives."""
    lines = (ROOT / "docs/examples/donchian.py").read_text().count("\n")
    said = re.search(r"is (\d+) lines", (ROOT / "docs/own-engine.md").read_text())
    assert said is not None
    assert lines == int(said.group(1)) <= 40


def test_make_targets_that_pages_name_exist() -> None:
    """Every `make` target that a page names is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        named = set(re.findall(r"`?make ([a-z]+)\b[^a-z]", page.read_text())) & {
            "demo",
            "test",
            "verify",
            "bench",
            "lint",
        }
        assert named <= targets, f"{page.name} names {named - targets}"
    assert os.access(ROOT / ".ci/run", os.X_OK)

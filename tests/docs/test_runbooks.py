"""Every command of the runbooks is typed, and its output is what the page says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from barstep.engine.configured import examine
from console import console_blocks, languages
from runbook import SLOW, is_run, run_blocks
from terminal import ROOT, Terminal

DOCS = ROOT / "docs"
RULES = ROOT / "deploy/prometheus/rules/multi_strategy_rules.yml"
PAGES = sorted({*DOCS.glob("runbooks/**/*.md"), *DOCS.glob("training/*.md"), *DOCS.glob("architecture/*.md")})
NOT_TYPED = {"stage4_smoke": 1, "stage4_test_plan": 1}
TYPED_BY_THEIR_ROWS = "commands"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem != TYPED_BY_THEIR_ROWS], ids=lambda page: page.stem
)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    """From a clone's root, in order, with the exit codes and outputs of the page."""
    blocks = console_blocks(page)
    with Terminal(tmp_path) as terminal:
        typed = run_blocks(terminal, page, blocks)
    assert typed == sum(len(block.steps) for block in blocks if is_run(block))


def test_what_is_not_typed_is_counted_and_has_a_reason() -> None:
    """A block that is left out for good stands here; one that is slow is typed with SEEDS above 1."""
    reasons = [(page.stem, block.not_run) for page in PAGES for block in console_blocks(page) if block.not_run]
    left_out = [(page, reason) for page, reason in reasons if reason != SLOW]
    assert Counter(page for page, _ in left_out) == NOT_TYPED
    assert all(len(reason.split()) > 3 for _, reason in left_out)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_stand_in_no_other_kind_of_block(page: Path) -> None:
    """Nothing that looks like a command escapes the test of the commands."""
    assert languages(page) <= {"console", "yaml", "text"}


@pytest.mark.parametrize(
    ("url", "alert"),
    [
        (rule["annotations"]["runbook"], rule["alert"])
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ],
)
def test_an_alert_leads_to_its_heading(url: str, alert: str) -> None:
    """The page of its notification is there, and has the heading that it names."""
    page, _, anchor = url.partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings]
    assert alert in (ROOT / page).read_text() or anchor == re.sub(r"(?<!^)(?=[A-Z])", "-", alert).lower()


def test_the_workshop_s_profile_loads(tmp_path: Path) -> None:
    """As one more entry of the configuration."""
    page = (DOCS / "training/scheduler_workshop.md").read_text()
    (profile,) = re.findall(r"^    ```yaml\n(.*?)^    ```", page, re.MULTILINE | re.DOTALL)
    core = (ROOT / "config/core.yaml").read_text()
    before, rest = core.split("\nrisk_profiles:\n")
    profile = "".join(f"{line.removeprefix('  ')}\n" for line in profile.splitlines())
    (tmp_path / "core.yaml").write_text(f"{before}\nrisk_profiles:\n{profile}{rest}")
    read = examine(tmp_path / "core.yaml")
    assert not read.errors
    assert "balanced_high_vol" in read.config.risk_profiles

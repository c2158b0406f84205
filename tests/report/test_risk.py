"""The printed risk simulation: the same bytes twice, and a verdict on its front."""

from __future__ import annotations

from pathlib import Path

import barstep as bs
import pytest
from barstep.config.reading import PACKAGED
from barstep.config.risk_scenarios import PriceGap, RiskScenarios
from barstep.engine.risk.result import JSON_FILE, PDF_FILE
from barstep.report import risk

SMALL = RiskScenarios(lead=86_400.0, watch=86_400.0, moments=1, scenarios={"gap": PriceGap(gap_pct=-20.0)})


@pytest.fixture(scope="module")
def found() -> bs.RiskSimulation:
    """One profile, three paths."""
    return bs.risk_simulation(PACKAGED, scenarios=SMALL, paths=3, horizon="2d", profiles=["aggressive"])


def test_both_files_are_written_and_repeat(found: bs.RiskSimulation, tmp_path: Path) -> None:
    """A front page, two a profile, and one of assumptions; byte for byte the same."""
    first, second = found.save(tmp_path / "one"), found.save(tmp_path / "two")
    assert sorted(path.name for path in first.iterdir()) == [JSON_FILE, PDF_FILE]
    for name in (JSON_FILE, PDF_FILE):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert (first / PDF_FILE).read_bytes().startswith(b"%PDF")


def test_what_is_said_where(found: bs.RiskSimulation) -> None:
    """Pages in their order, the verdict and the seed among their texts."""
    pages = [[text.get_text() for text in figure.texts] for figure in risk._figures(found)]
    assert [page[0] for page in pages] == [
        "Risk simulation", "aggressive: stress scenarios", "aggressive: resampled markets",
        "Limits, assumptions and provenance",
    ]  # fmt: skip
    assert "No breach: limits are kept by aggressive" in pages[0]
    assert all(any("seed 0" in text for text in page) for page in pages)

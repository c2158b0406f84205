"""The paper pipeline, and that its checks find what is wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED
from barstep.engine.configured import load_core_config
from barstep.errors import UsageError
from barstep.ops import paper_smoke as subject
from barstep.ops.live_place import make_place
from barstep.ops.paper_smoke import paper_smoke
from barstep.ops.paper_smoke_checks import Evidence, checks_of
from barstep.ops.paper_smoke_report import Check, PaperSmokeReport
from barstep.replay.clock import SystemClock
from barstep.replay.private_files import make_private_folder

CYCLES = 96


def _twice(evidence: Evidence) -> None:
    assert evidence.ledger
    again = copy.deepcopy(evidence.ledger[0])
    evidence.ledger.append(again | {"order_id": again["order_id"] + "0", "reports": []})


def _more_traded(evidence: Evidence) -> None:
    assert evidence.ledger
    evidence.ledger[0]["filled_lots"] *= 2


def _other_fill(evidence: Evidence) -> None:
    assert evidence.ledger
    next(one for one in evidence.ledger if one["reports"])["reports"][0]["fills"][0]["price"] += 1.0


def _forgotten(evidence: Evidence) -> None:
    assert evidence.ledger
    del evidence.ledger[-1]


def _no_final_word(evidence: Evidence) -> None:
    assert evidence.ledger
    evidence.ledger[0]["status"] = None


def _changed_record(evidence: Evidence) -> None:
    path = min(evidence.place.files.folder.glob("*.0*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"status":"connected"', b'"status":"connectex"'))


def _changed_bar(evidence: Evidence) -> None:
    (path,) = (evidence.place.folder / "var/recordings/binance_paper").glob("*.bars")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _set(**fields: Any) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        for name, value in fields.items():
            setattr(evidence, name, value)

    return change


WRONG: dict[str, tuple[Callable[[Evidence], None], str, str]] = {
    "an instant is missing": (_set(cycles=CYCLES + 1), "instants", f"{CYCLES} of {CYCLES + 1} instants"),
    "the loop did not end": (_set(loop_code=None), "end", "loop still ran"),
    "the loop failed": (_set(loop_code=5), "end", "loop exit code 5"),
    "the address stayed": (_set(place_is_left=True), "end", "is told after its end"),
    "it was not suspended": (_set(held=()), "suspension", "the loop told of suspensions of []"),
    "it was not resumed": (_set(held_after=({"name": "x"},)), "suspension", "after it was resumed"),
    "the venue has one order more": (_twice, "ledger", "only the venue knows 1 orders"),
    "the venue has one order less": (_forgotten, "ledger", "only the journal knows 1 orders"),
    "more was traded": (_more_traded, "ledger", "more than once: "),
    "a fill differs": (_other_fill, "ledger", "only the journal knows 1 reports"),
    "an order is in limbo": (_no_final_word, "ledger", "no final word of "),
    "the venue is mute": (_set(ledger=None), "ledger", "could not be read"),
    "a record was changed": (_changed_record, "journal", "with a good signature"),
    "bars are lost": (_changed_bar, "replay", "bars of "),
}


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PaperSmokeReport, dict[str, list[Check]], Path]]:
    """A run, and its checks with one thing after the other made wrong."""
    found: dict[str, list[Check]] = {}

    def look(evidence: Evidence) -> list[Check]:
        checks = checks_of(evidence)
        files = {path: path.read_bytes() for path in evidence.place.folder.rglob("*") if path.is_file()}
        for name, (change, _, _) in WRONG.items():
            changed = copy.copy(evidence)
            changed.ledger, changed.counts = copy.deepcopy(evidence.ledger), {}
            change(changed)
            found[name] = checks_of(changed)
            for path, held in files.items():
                if path.read_bytes() != held:
                    path.write_bytes(held)
        return checks

    folder = tmp_path_factory.mktemp("working")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CORE_SCHEDULER_TOKEN", "the user's own, which is not to be used")
        patch.setattr(subject, "checks_of", look)
        yield paper_smoke(PACKAGED, cycles=CYCLES), found, folder


def test_the_pipeline_passes(tried: tuple[PaperSmokeReport, dict[str, list[Check]], Path]) -> None:
    """All checks pass on the configuration that comes with barstep, and nothing is left in the working folder."""
    report, _, folder = tried
    assert [(one.name, one.status) for one in report.checks] == [
        (name, "PASS")
        for name in ("instants", "orders", "suspension", "connection", "end", "journal", "ledger", "replay")
    ], report.checks
    assert report.passes and report.counts["instants"] == CYCLES and report.counts["fills"] > 0
    assert report.to_dict()["status"] == "pass"
    assert not [*folder.iterdir()]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(tried: tuple[PaperSmokeReport, dict[str, list[Check]], Path], name: str) -> None:
    """One thing that is not as it must be fails the check that looks at it, and says so."""
    _, check, text = WRONG[name]
    (looked,) = [one for one in tried[1][name] if one.name == check]
    assert looked.status == "FAIL" and text in looked.detail


def test_a_venue_of_others_is_not_held_to_what_it_does_not_show(
    tried: tuple[PaperSmokeReport, dict[str, list[Check]], Path],
) -> None:
    """What was skipped fails nothing."""
    report, _, _ = tried
    skipped = Check(name="ledger", status="SKIP", detail="")
    assert PaperSmokeReport(
        environment="e", scheduler="s", cycles=1, checks=(*report.checks, skipped), counts={}, seconds=0.0
    ).passes


def test_engines_of_the_user_are_found_from_the_folder_of_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is named from the working folder is the same file for the processes that work elsewhere."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.py").write_text((PACKAGED.parents[1] / "docs/examples/donchian.py").read_text())
    config = own / "core.yaml"
    config.write_text(f"{PACKAGED.read_text()}\nengine_files: [mine.py]\n")
    monkeypatch.chdir(own)
    core = load_core_config(config)
    folder = tmp_path / "elsewhere"
    make_private_folder(folder)
    make_place(folder, core, "binance_paper", "core_multi", SystemClock()).at("grpc+tls://localhost:8815")
    monkeypatch.chdir(folder)
    assert load_core_config("config/core.yaml").engine_files == [str(own / "mine.py")]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"environment": "demo"}, "is of type demo over recorded bars"),
        ({"environment": "binance_live"}, "is of type live"),
        ({"cycles": 3}, "cycles is 3; allowed is 24 or more"),
        ({"cycles": 10_000_000}, "after warm-up the bars of all instruments hold"),
        ({"scheduler": "core_mlti"}, "core_multi"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_what_cannot_be_tried_is_refused(asked: dict[str, Any], text: str) -> None:
    """Live and demonstration environments, too few cycles and too many, with what is allowed."""
    with pytest.raises(UsageError, match=text):
        paper_smoke(PACKAGED, **asked)

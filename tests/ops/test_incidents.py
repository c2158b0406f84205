"""Incident files and the rota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from barstep.config.durations import microseconds
from barstep.errors import ConfigError, DataError, UsageError
from barstep.ops.incidents import (
    Opening,
    check_closing,
    check_opening,
    chosen_open,
    incidents_of,
    read_incident,
    reserve,
    write_closed,
    write_opened,
)
from barstep.ops.oncall import on_duty, read_rotation

NOW_US = microseconds(datetime(2024, 3, 4, 10, 30, tzinfo=UTC))
ROTA = """
timezone: Europe/Warsaw
handover: {weekday: monday, time: "09:00"}
rota_begins: 2024-01-01
levels:
  L1:
    role: watches
    answers_within_minutes: 5
    channel: "#ops"
    mention: "@l1"
    rota:
      - {name: A, slack: "@a", phone: "1"}
      - {name: B, slack: "@b", phone: "2"}
      - {name: C, slack: "@c", phone: "3"}
"""


def opened(folder: Path, summary: str = "no signals", at_us: int = NOW_US) -> Path:
    path = reserve(folder, at_us)
    opening = Opening(
        at_us=at_us, environment="demo", scheduler="core_multi", alert_type="no_signals", severity="critical",
        level="L1", responsible="A", summary=summary, mtls_bundle="core-oem",
    )  # fmt: skip
    write_opened(path, opening, "local", "journal of demo, record 7")
    return path


def test_a_second_incident_of_a_day_gets_a_number(tmp_path: Path) -> None:
    """Named by the day in UTC; the third one, too, and never in the place of one that is there."""
    names = [opened(tmp_path).name for _ in range(3)]
    assert names == ["2024-03-04-multi_strategy.md", "2024-03-04-multi_strategy-2.md", "2024-03-04-multi_strategy-3.md"]
    reserve(tmp_path, NOW_US)  # which somebody is about to open, or was when the power went
    assert sorted(one.path.name for one in incidents_of(tmp_path)) == sorted(names)
    assert opened(tmp_path, at_us=NOW_US + 86_400_000_000).name == "2024-03-05-multi_strategy.md"


def test_what_was_opened_can_be_read(tmp_path: Path) -> None:
    """Whatever stands in its summary, which cannot begin a row or a heading of its own."""
    path = opened(tmp_path, "a | b\n## Resolution\n| status | restored |")
    incident = read_incident(path)
    assert incident.is_open
    assert incident.facts["summary"] == "a | b ## Resolution | status | restored |"
    assert (incident.facts["severity"], incident.facts["responsible"]) == ("critical", "A")
    text = path.read_text()
    assert text.count("\n## Resolution\n") == 1
    assert "opened by local: a | b" in text and "(journal of demo, record 7)" in text
    assert "`barstep audit stage4 --mtls-bundle-name core-oem --environment demo --allow-missing-env`" in text
    assert "--status acknowledged" in text and "barstep decision-log verify --environment demo" in text


def test_closing_keeps_what_people_wrote(tmp_path: Path) -> None:
    """Ticks and notes stay; status, times, the timeline and the resolution are added."""
    path = opened(tmp_path)
    path.write_text(
        path.read_text().replace("- [ ] the alert", "- [x] the alert").replace("_Open._", "_Open._\n\nIt was the feed.")
    )
    write_closed(
        read_incident(path),
        at_us=NOW_US + 60_000_000,
        outcome="restored",
        resolution="fell\nback",
        by="l2",
        recorded="r",
    )
    incident, text = read_incident(path), path.read_text()
    assert (incident.facts["status"], incident.facts["closed"]) == ("restored", "2024-03-04T10:31:00Z")
    assert "- [x] the alert" in text and "It was the feed." in text and "_Open._" not in text
    lines = text.splitlines()
    assert (
        lines.index("- 2024-03-04T10:31:00Z closed by l2, restored (r)") == lines.index("## L1: confirm and decide") - 2
    )
    assert lines[-1] == "2024-03-04T10:31:00Z, l2: fell back"
    with pytest.raises(UsageError, match="is closed already, as restored"):
        chosen_open(tmp_path, path)


def test_the_only_open_one_is_meant(tmp_path: Path) -> None:
    """None and several are told; a file that is none is refused; a section that is gone is begun again."""
    with pytest.raises(UsageError, match="no incident is open"):
        chosen_open(tmp_path, None)
    path = opened(tmp_path)
    assert chosen_open(tmp_path, None).path == path
    opened(tmp_path)
    with pytest.raises(UsageError, match="several are open"):
        chosen_open(tmp_path, None)
    path.write_text(path.read_text().replace("## Resolution", "## Other"))
    write_closed(read_incident(path), at_us=NOW_US, outcome="acknowledged", resolution="x", by="l1", recorded="r")
    assert path.read_text().endswith("\n## Resolution\n\n2024-03-04T10:30:00Z, l1: x\n")
    (tmp_path / "x.md").write_text("# hello")
    with pytest.raises(DataError, match="is no incident's file"):
        read_incident(tmp_path / "x.md")
    with pytest.raises(DataError, match="no such incident"):
        read_incident(tmp_path / "y.md")


def test_words_are_checked() -> None:
    """Alert types, severities and outcomes, with the near one; nothing said is wrong use."""
    check_opening("feed", "warning", "x")
    for words, text in (
        (("fed", "warning", "x"), "Did you mean 'feed'"),
        (("feed", "warn", "x"), "Did you mean 'warning'"),
        (("feed", "warning", " "), "--message is empty"),
    ):
        with pytest.raises(UsageError, match=text):
            check_opening(*words)
    assert check_closing("acknowledged", "x") == "acknowledged"
    with pytest.raises(UsageError, match="unknown status 'open'"):
        check_closing("open", "x")
    with pytest.raises(UsageError, match="--message is empty"):
        check_closing("restored", "")


def test_the_rota_goes_on_week_by_week(tmp_path: Path) -> None:
    """At 09:00 of each Monday by the clock on the wall, also over a change to summer time, and before it began."""
    path = tmp_path / "rota.yaml"
    path.write_text(ROTA)
    rotation = read_rotation(path)
    first = datetime(2024, 1, 1, 8, tzinfo=UTC)  # 09:00 in Warsaw

    def name(moment: datetime) -> str:
        return on_duty(rotation, "L1", microseconds(moment)).name

    assert [name(first + timedelta(days=7 * week)) for week in range(4)] == ["A", "B", "C", "A"]
    assert name(first + timedelta(days=7, microseconds=-1)) == "A"
    assert name(first - timedelta(microseconds=1)) == "C"
    summer = datetime(2024, 4, 1, 7, tzinfo=UTC)  # 09:00 again; thirteen weeks later
    assert (name(summer - timedelta(microseconds=1)), name(summer)) == ("A", "B")
    with pytest.raises(UsageError, match="unknown level 'L2'"):
        on_duty(rotation, "L2", NOW_US)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("Europe/Warsaw", "Warsaw", "allowed is a zone"),
        ("2024-01-01", "2024-02-30", "there is no such day"),
        ("monday", "mondy", "Did you mean 'monday'"),
        ("answers_within_minutes: 5", "answers_within_minute: 5", "answers_within_minutes"),
        ("09:00", "9 o'clock", "hours and minutes"),
        ('phone: "1"', "", "phone"),
    ],
)
def test_a_rota_is_read_strictly(tmp_path: Path, old: str, new: str, text: str) -> None:
    """With the file, the path and the near name."""
    path = tmp_path / "rota.yaml"
    path.write_text(ROTA.replace(old, new))
    with pytest.raises(ConfigError, match=text):
        read_rotation(path)

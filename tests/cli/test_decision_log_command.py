"""`barstep decision-log`: verified, counted, listed and annotated."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED
from barstep.replay.authorization import token_sha384
from barstep.replay.secrets_setup import demo_secrets
from journal_folder import keys_of, opened, written

Run = Callable[..., Any]
JOURNAL = Path("audit/decision_logs")


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a journal of two segments."""
    monkeypatch.chdir(tmp_path)
    for name in ("BARSTEP_TOKEN", "CORE_SCHEDULER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    written()
    return tmp_path


def edit(name: str, old: bytes, new: bytes) -> None:
    path = JOURNAL / name
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_a_good_journal_passes_and_a_witness_makes_it_strict(barstep: Run) -> None:
    """Without a witness it is told and passes; strictly it fails until the head was exported."""
    ran = barstep("decision-log", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        "demo: PASS; 9 records in 2 segments, 9 with a good signature; last 8, head 8, no witness"
    )
    assert "UNWITNESSED" in ran.out
    assert barstep("decision-log", "verify", "--strict").code == 5
    assert barstep("decision-log", "head", "--export").code == 0
    assert Path("var/audit/witness/demo.json").stat().st_mode & 0o777 == 0o600
    strict = barstep("decision-log", "verify", "--strict", "--json")
    document = json.loads(strict.out)
    assert (strict.code, document["ok"], document["faults"], document["witness_seq"]) == (0, True, [], 8)


def test_an_edited_record_fails_with_its_place(barstep: Run) -> None:
    """Exit 5, and file, line and number of the record."""
    edit("demo.000000000000.jsonl", b'"confidence":0.5', b'"confidence":0.6')
    ran = barstep("decision-log", "verify")
    assert ran.code == 5
    assert ran.out.startswith("demo: FAIL")
    assert "  EDITED demo.000000000000.jsonl:3, seq 2: is not what was signed." in ran.out
    fault = json.loads(barstep("decision-log", "verify", "--json").out)["faults"][0]
    assert (fault["verdict"], fault["file"], fault["line"], fault["seq"]) == ("EDITED", "demo.000000000000.jsonl", 3, 2)


def test_the_root_may_be_elsewhere(barstep: Run, working_folder: Path) -> None:
    """Off the machine the past is UNVERIFIED, and the root's file verifies it again."""
    working_folder.chmod(0o700)
    Path("secrets/journal/demo/root.key").rename("kept.key")
    ran = barstep("decision-log", "verify", "--strict")
    assert ran.code == 5 and "UNVERIFIED demo.000000000000.jsonl:1, seq 0, 8 records" in ran.out
    assert "UNVERIFIED" not in barstep("decision-log", "verify", "--root-key", "kept.key").out
    absent = barstep("decision-log", "verify", "--root-key", "absent.key")
    assert absent.code == 3 and "absent.key: no such file" in absent.err


def test_whoever_brings_a_root_does_not_believe_the_machine(barstep: Run, working_folder: Path) -> None:
    """A journal that went on under a root of somebody who had the machine passes by its own keys only."""
    working_folder.chmod(0o700)
    Path("secrets/journal/demo/root.key").rename("kept.key")
    assert barstep("keys", "rotate", "--environment", "demo").code == 0
    assert barstep("decision-log", "verify").code == 0
    caught = barstep("decision-log", "verify", "--root-key", "kept.key")
    assert caught.code == 5 and "WRONG KEY demo.jsonl:1" in caught.out


def test_a_rolled_back_journal_is_caught_by_its_witness(barstep: Run) -> None:
    """Journal and head as they were before: the witness tells, and is not overwritten by a later export."""
    before = {path: path.read_bytes() for path in JOURNAL.iterdir()}
    with opened() as journal:
        journal.append_record({"kind": "note", "at": "2024-01-01T00:00:00.000000Z", "message": "later"})
        journal.commit()
    barstep("decision-log", "head", "--export", "elsewhere.json")
    for path, data in before.items():
        path.write_bytes(data)
    assert barstep("decision-log", "verify").code == 0
    caught = barstep("decision-log", "verify", "--witness", "elsewhere.json")
    assert caught.code == 5 and "ROLLED BACK elsewhere.json, seq 9" in caught.out
    kept = barstep("decision-log", "head", "--export", "elsewhere.json")
    assert kept.code == 5 and "The witness was kept" in kept.err
    assert barstep("decision-log", "verify", "--witness", "elsewhere.json").code == 5


def test_head_says_how_far_it_goes(barstep: Run) -> None:
    """As text and JSON; a path without --export is wrong use, another journal's witness is left alone."""
    last = json.loads((JOURNAL / "demo.jsonl").read_text().splitlines()[-1])
    assert f"demo: record 8 of journal {last['log']}\n  {last['mac']}" in barstep("decision-log", "head").out
    shown = json.loads(barstep("decision-log", "head", "--json").out)
    assert shown == {"head": {key: last[key] for key in ("log", "seq", "mac")}, "exported": None}
    assert barstep("decision-log", "head", "x.json").code == 2
    Path("x.json").write_text(f'{{"log":"{"f" * 32}","seq":3,"mac":"{"0" * 96}"}}\n')
    other = barstep("decision-log", "head", "--export", "x.json")
    assert other.code == 5 and f"has seen journal {'f' * 32}" in other.err
    assert barstep("decision-log", "head", "--environment", "paper").code == 3
    nowhere = barstep("decision-log", "head", "--export", ".")
    assert (nowhere.code, nowhere.err) == (3, "error: .: cannot be read or written: Is a directory.\n")


@pytest.mark.parametrize("command", ["verify", "summary", "tail"])
def test_no_journal_is_told(barstep: Run, command: str) -> None:
    """With exit code 3, its file's name and what writes one; a name that leads elsewhere is wrong use."""
    ran = barstep("decision-log", command, "--environment", "paper")
    assert ran.code == 3 and "paper.jsonl: no such journal" in ran.err
    assert barstep("decision-log", command, "--environment", "../demo").code == 2


def test_summary_counts(barstep: Run) -> None:
    """By kind, category, status, reason and schedule, with the span and the segments; lines that are none apart."""
    document = json.loads(barstep("decision-log", "summary", "--json").out)
    assert (document["records"], document["segments"], document["unreadable"]) == (9, 2, 0)
    assert document["by"]["kind"] == {"decision": 3, "run": 3, "checkpoint": 1, "genesis": 1, "sealed": 1}
    assert document["by"]["schedule"] == {"trend": 4, "grid": 2}
    assert document["by"]["status"] == {"executed": 3, "accepted": 2, "dropped": 1}
    assert document["by"]["reason"] == {"ended": 1, "limit": 1}
    assert document["by"]["category"] == {"decision": 3}
    assert document["first_at"] == "2024-01-01T00:00:00.000000Z"
    edit("demo.000000000000.jsonl", b'{"v":1', b'"v":1')
    text = barstep("decision-log", "summary").out
    assert text.startswith("demo: 8 records in 2 segments, 2024-01-01T00:00:00.000000Z to ")
    assert "\n  kind      decision    3\n" in text
    assert "1 line is no record" in text


def test_tail_lists_the_last_records_in_columns(barstep: Run) -> None:
    """Over segments, oldest first, by schedule and kind; as JSON lines what was written."""
    lines = barstep("decision-log", "tail", "-n", "3").out.splitlines()
    assert [line.split()[0] for line in lines] == ["6", "7", "8"]
    assert lines[0].split()[1:5] == ["2024-01-01T02:00:00.000000Z", "decision", "accepted", "trend"]
    assert "instrument=BTCUSDT" in lines[0] and "confidence=0.5" in lines[0] and "mac=" not in lines[0]
    assert len({line.index("2024") for line in lines}) == 1
    wanted = barstep("decision-log", "tail", "--schedule", "grid", "--kind", "decision", "--json").out.splitlines()
    assert [json.loads(line)["seq"] for line in wanted] == [4]
    assert len(barstep("decision-log", "tail").out.splitlines()) == 9
    assert barstep("decision-log", "tail", "-n", "0").out == ""


def test_tail_says_what_is_there_where_nothing_was_found(barstep: Run) -> None:
    """On stderr, with the near name and every name; that is no error, and an empty list was asked for with 0."""
    ran = barstep("decision-log", "tail", "--kind", "decison")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("no record of kind 'decison' is here. Did you mean 'decision'? Here are: ")
    both = barstep("decision-log", "tail", "--schedule", "gird", "--kind", "decision")
    assert both.err.startswith("no record of schedule 'gird' is here. Did you mean 'grid'?")
    assert barstep("decision-log", "tail", "--schedule", "grid", "--kind", "genesis").err == "no such record is here.\n"
    assert barstep("decision-log", "tail", "-n", "0").err == ""


def test_tail_shows_nothing_that_a_terminal_obeys(barstep: Run) -> None:
    """Escapes and line ends in a text are written out, and long values are cut."""
    with opened() as journal:
        record = {"kind": "note", "at": "2024-01-01T00:00:00.000000Z", "message": "a\x1b[2Jb\nc", "state": "x" * 200}
        journal.append_record(record)
        journal.commit()
    line = barstep("decision-log", "tail", "-n", "1").out
    assert line.count("\n") == 1 and "\x1b" not in line
    assert r'message="a\u001b[2Jb\nc"' in line and "x" * 80 + "…" in line


def test_tail_ends_quietly_when_its_reader_has_seen_enough() -> None:
    """`barstep decision-log tail | head -1` prints one line and no complaint."""
    command = [sys.executable, "-m", "barstep", "decision-log", "tail", "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        with opened() as journal:
            journal.append_record({"kind": "note", "at": "2024-01-01T00:00:00.000000Z"})
            journal.commit()
            process.wait(timeout=60)
        assert b"genesis" in first
        assert (process.returncode, process.stderr.read()) == (0, b"")


def append(barstep: Run, *words: object) -> Any:
    return barstep("decision-log", "summary", "--append", "--message", "rolled back to v3", *words)


def test_a_note_is_written_by_whoever_has_the_token(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed, under the token's id, with its category and status; the journal still verifies."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "a secret of the operator")
    ran = append(barstep, "--category", "config_change", "--status", "approved")
    assert ran.code == 0 and "demo: wrote note 9, by scheduler-local" in ran.out
    last = json.loads((JOURNAL / "demo.jsonl").read_text().splitlines()[-1])
    assert {key: last[key] for key in ("kind", "category", "message", "status", "by")} == {
        "kind": "note", "category": "config_change", "message": "rolled back to v3", "status": "approved",
        "by": "scheduler-local",
    }  # fmt: skip
    assert "a secret" not in (JOURNAL / "demo.jsonl").read_text() + ran.out + ran.err
    assert barstep("decision-log", "verify").code == 0


def test_an_incident_is_a_kind_of_its_own(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--incident` writes it, alone or beside `--append`, and takes no other category."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "x")
    ran = barstep("decision-log", "summary", "--incident", "--message", "feed down", "--json")
    document = json.loads(ran.out)
    assert (ran.code, document["seq"], document["record"]["kind"]) == (0, 9, "incident")
    assert append(barstep, "--incident").code == 0
    wrong = append(barstep, "--incident", "--category", "note")
    assert wrong.code == 2 and "an incident is of category incident" in wrong.err
    assert json.loads(barstep("decision-log", "summary", "--json").out)["by"]["category"]["incident"] == 2


def test_nobody_writes_without_a_token_that_allows_it(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """None, an unknown one, one that lacks the scope: exit 4, what was needed, never the token; nothing is written."""
    before = (JOURNAL / "demo.jsonl").read_bytes()
    none = append(barstep)
    assert none.code == 4 and "set BARSTEP_TOKEN, CORE_SCHEDULER_TOKEN, or give --token-file" in none.err
    monkeypatch.setenv("BARSTEP_TOKEN", "somebody-else")
    unknown = append(barstep)
    assert unknown.code == 4 and "runtime.schedule.write is needed" in unknown.err and "somebody" not in unknown.err
    config = PACKAGED.read_text().replace("env: CORE_SCHEDULER_TOKEN", f"sha384: {token_sha384('somebody-else')}")
    config = config.replace(
        "scopes: [runtime.schedule.read, runtime.schedule.write]", "scopes: [runtime.schedule.read]"
    )
    Path("own.yaml").write_text(config)
    lacking = append(barstep, "--config", "own.yaml")
    assert lacking.code == 4 and "'scheduler-local' of scheduler 'core_multi' lacks the scope" in lacking.err
    assert (JOURNAL / "demo.jsonl").read_bytes() == before


def test_a_demonstrations_token_is_taken_from_its_file(barstep: Run) -> None:
    """What a demonstration made for itself is enough; with looser modes it is refused."""
    demo_secrets(Path("secrets"), "demo", [_local()], {})
    assert append(barstep).code == 0
    Path("secrets/tokens/scheduler-local.token").chmod(0o644)
    refused = append(barstep)
    assert refused.code == 5 and "has mode 0644" in refused.err


def test_a_token_file_is_taken_before_variables(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read by the rules of private files."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "right")
    folder = Path("mine")
    folder.mkdir(mode=0o700)
    for name, text in (("right", "right\n"), ("wrong", "wrong\n")):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text)
    assert append(barstep, "--token-file", "mine/right").code == 0
    assert append(barstep, "--token-file", "mine/wrong").code == 4
    assert append(barstep, "--token-file", "mine/absent").code == 3


def test_a_loop_that_holds_the_journal_is_not_disturbed(barstep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 6, and nothing is written; without a journal or keys nothing is begun."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "x")
    with opened():
        before = (JOURNAL / "demo.jsonl").read_bytes()
        held = append(barstep)
        assert held.code == 6 and "another process writes" in held.err
        assert (JOURNAL / "demo.jsonl").read_bytes() == before
    assert append(barstep, "--environment", "paper").code == 3
    keys_of("binance_paper")
    none = append(barstep, "--environment", "paper")
    assert none.code == 3 and "there is no journal of 'binance_paper'" in none.err
    assert list(JOURNAL.glob("*paper*")) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--category", "incidnt"), "unknown category 'incidnt'. Did you mean 'incident'?"),
        (("--status", "approve"), "Did you mean 'approved'?"),
        (("--message", " "), "--message is empty"),
        (("--message", "x" * 10_001), "--message has 10,001 characters"),
    ],
)
def test_a_note_that_is_none_is_refused(
    barstep: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], text: str
) -> None:
    """With exit code 2 and nothing written."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "x")
    before = (JOURNAL / "demo.jsonl").read_bytes()
    ran = append(barstep, *words)
    assert ran.code == 2 and text in ran.err
    assert (JOURNAL / "demo.jsonl").read_bytes() == before


def test_what_is_for_writing_is_refused_when_counting(barstep: Run) -> None:
    """A message without --append would be lost in silence."""
    ran = barstep("decision-log", "summary", "--message", "x")
    assert ran.code == 2 and "--message: only with --append or --incident" in ran.err


def _local() -> Any:
    from barstep.config.tokens import Token  # noqa: PLC0415

    return Token(id="scheduler-local", env="CORE_SCHEDULER_TOKEN", scopes=["runtime.schedule.write"])

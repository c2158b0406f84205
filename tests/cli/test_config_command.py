"""`barstep config`: validate, show, schema."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.reading import PACKAGED, read_config
from journal_folder import opened, written

Run = Callable[..., Any]
TEXT = PACKAGED.read_text(encoding="utf-8")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a configuration of its own."""
    (tmp_path / "config").mkdir()
    path = tmp_path / "config" / "core.yaml"
    path.write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


def test_validate_passes(barstep: Run, own: Path) -> None:
    """PASS, the environments, and both digests, said which is which."""
    ran = barstep("config", "validate")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "config/core.yaml: PASS"
    assert any(line.split()[:5] == ["demo", "demo", "binance", "core_multi", "balanced"] for line in lines)
    read = read_config(own)
    assert lines[-2] == (f"SHA-384 of what it says, comments and order of keys left aside: {read.content_sha384}")
    assert lines[-1] == f"SHA-384 of the file's bytes: {hashlib.sha384(own.read_bytes()).hexdigest()}"


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ("demo", "environment demo, chosen by name: demo at binance, recorded bars (embedded), capital 100,000"),
        ("local", "environment demo, chosen by alias: "),
        ("paper", "environment binance_paper, chosen by type: paper at binance, grpc+tls://localhost:8815"),
    ],
)
def test_validate_an_environment(barstep: Run, own: Path, profile: str, says: str) -> None:
    """What is chosen, and what its scheduler's schedules resolve to."""
    ran = barstep("config", "validate", own, "--profile", profile)
    assert ran.code == 0
    assert says in ran.out
    rows = [line.split() for line in ran.out.splitlines()]
    assert [
        "grid_schedule",
        "grid_engine",
        "grid_trading",
        "aggressive",
        "1h",
        "1h",
        "BTCUSDT",
        "ETHUSDT",
        "SOLUSDT",
    ] in rows


def test_validate_fails_with_everything_that_is_wrong(barstep: Run, own: Path) -> None:
    """FAIL with the count, a line for each error, exit 2; the digest of what it says is left out."""
    own.write_text(TEXT.replace("warmup_bars: 100", "warmup_bar: 100").replace("type: paper", "type: papier"))
    ran = barstep("config", "validate", "--profile", "demo")
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (2, "")
    assert lines[0] == "config/core.yaml: FAIL, 4 errors"
    assert [line.partition(": ")[0] for line in lines[1:5]] == ["error"] * 4
    assert "trend_schedule.warmup_bar: unknown key 'warmup_bar'. Did you mean 'warmup_bars'?" in lines[1]
    assert (
        "environments.binance_paper.type: is 'papier'; allowed is demo, live, paper. Did you mean 'paper'?" in lines[4]
    )
    assert len(lines) == 6


def test_validate_tells_warnings(barstep: Run, own: Path) -> None:
    """A warning is shown and does not refuse."""
    own.write_text(
        TEXT.replace(
            "      signal_limits:",
            "      initial_signal_limits: {sma_crossover: {balanced: 1}}\n      signal_limits:",
            1,
        )
    )
    ran = barstep("config", "validate")
    assert ran.code == 0
    assert ran.out.splitlines()[0].endswith("PASS")
    assert ran.out.splitlines()[1].startswith("warning: config/core.yaml:")
    assert "limits 'sma_crossover', which no schedule of core_multi runs" in ran.out


def test_validate_as_json(barstep: Run, own: Path) -> None:
    """One document with the environment and all its schedules, parameters included."""
    ran = barstep("config", "validate", "--profile", "demo", "--json")
    document = json.loads(ran.out)
    assert (document["ok"], document["errors"], document["warnings"]) == (True, [], [])
    assert document["content_sha384"] == read_config(own).content_sha384
    assert (document["environment"]["name"], document["environment"]["chosen_by"]) == ("demo", "name")
    schedules = {one["name"]: one for one in document["environment"]["schedules"]}
    assert schedules["trend_schedule"]["parameters"]["slow_ma"] == 72
    assert schedules["trend_schedule"]["cadence_seconds"] == 3600.0


def test_errors_as_json(barstep: Run, own: Path) -> None:
    """Each error with file, line, column and path; exit 2."""
    own.write_text(TEXT.replace("capital: 10000\n", "capital: -1\n"))
    ran = barstep("config", "validate", "--json")
    document = json.loads(ran.out)
    assert ran.code == 2
    assert (document["ok"], document["content_sha384"]) == (False, None)
    (error,) = document["errors"]
    assert error["path"] == "environments.binance_live.capital"
    assert own.read_text().splitlines()[error["line"] - 1] == "    capital: -1"
    assert error["text"] == "is -1; allowed is a number, over 0."


def test_without_a_file_of_one_s_own(barstep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration that comes with barstep is read, and that is said."""
    monkeypatch.chdir(tmp_path)
    ran = barstep("config", "validate")
    assert ran.code == 0
    assert ran.err == f"no config/core.yaml here; reading the one that comes with barstep: {PACKAGED}\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["validate", "absent.yaml"], "absent.yaml: no such file."),
        (["validate", "--config", "absent.yaml"], "absent.yaml: no such file."),
        (["validate", "a.yaml", "--config", "b.yaml"], "the configuration is given twice: a.yaml and --config b.yaml."),
        (["validate", "--profile", "dmeo"], "unknown environment 'dmeo'. Did you mean 'demo'?"),
        (["show", "--profile", "dmeo"], "unknown environment 'dmeo'. Did you mean 'demo'?"),
        (["validte"], "No such command 'validte'. Did you mean 'validate'?"),
    ],
)
def test_wrong_words_get_one_line(barstep: Run, own: Path, words: list[str], text: str) -> None:
    """Wrong use is one line on stderr and exit 2."""
    ran = barstep("config", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert text in ran.err


def test_show_prints_what_reads_back(barstep: Run, own: Path, tmp_path: Path) -> None:
    """YAML and JSON with all defaults are the same configuration."""
    for words, name in ((["--json"], "again.json"), ([], "again.yaml")):
        ran = barstep("config", "show", *words)
        assert ran.code == 0
        (tmp_path / name).write_text(ran.out)
        assert read_config(tmp_path / name).content_sha384 == read_config(own).content_sha384
    assert "max_drift_seconds: 30.0" in ran.out, "a default"


def test_show_an_environment(barstep: Run, own: Path) -> None:
    """Only that environment and its scheduler; what is printed is a sound configuration."""
    ran = barstep("config", "show", "--profile", "demo")
    own.write_text(ran.out)
    config = read_config(own).config
    assert set(config.environments) == {"demo"}
    assert set(config.runtime.multi_strategy_schedulers) == {"core_multi"}
    assert barstep("config", "validate").code == 0


def test_show_refuses_with_every_error(barstep: Run, own: Path) -> None:
    """A line on stderr for each, and nothing on stdout."""
    own.write_text(TEXT.replace("max_signals", "max_signal"))
    ran = barstep("config", "show")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == TEXT.count("max_signals")
    assert all(line.startswith("error: config/core.yaml:") for line in ran.err.splitlines())


def test_schema_is_json(barstep: Run) -> None:
    """The schema is printed as one document that says its dialect."""
    document = json.loads(barstep("config", "schema").out)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "multi_strategy_schedulers" in document["$defs"]["WrittenConfig"]["properties"]


def test_what_passes_is_written_into_the_journal(barstep: Run, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both digests, under the id of the token; what is refused, or has no token, leaves the journal as it is."""
    monkeypatch.setenv("CORE_SCHEDULER_TOKEN", "5" * 64)
    written()
    journal = Path("audit/decision_logs/demo.jsonl")
    ran = barstep("config", "validate", "--profile", "local", "--append", "--json")
    told, read = json.loads(ran.out), read_config(own)
    record = json.loads(journal.read_bytes().splitlines()[-1])
    assert (ran.code, told["journal_seq"]) == (0, record["seq"])
    assert (record["kind"], record["by"]) == ("note", "scheduler-local")
    assert read.content_sha384 in record["message"]
    assert read.file_sha384 in record["message"]
    assert barstep("decision-log", "verify").code == 0
    assert (
        f"in record {record['seq'] + 1:,} of the journal"
        in barstep("config", "validate", "--profile", "demo", "--append").out
    )
    before = journal.read_bytes()
    with opened():
        assert barstep("config", "validate", "--profile", "demo", "--append").code == 6
    monkeypatch.delenv("CORE_SCHEDULER_TOKEN")
    assert barstep("config", "validate", "--profile", "demo", "--append").code == 4
    assert barstep("config", "validate", "--append").code == 2
    own.write_text(TEXT.replace("cadence_seconds", "cadence", 1), encoding="utf-8")
    assert barstep("config", "validate", "--profile", "demo", "--append").code == 2
    assert journal.read_bytes() == before

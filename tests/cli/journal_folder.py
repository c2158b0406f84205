"""A journal that the real writer has written, under the working folder, where commands look for it."""

from __future__ import annotations

from pathlib import Path

from barstep.replay.journal.record import at_text, members
from barstep.replay.journal.writer import TradingDecisionJournal
from barstep.replay.key_files import KeyFolder

START_US = 1_704_067_200_000_000
LOG = "0123456789abcdef" * 2


def keys_of(environment: str = "demo") -> KeyFolder:
    """The keys of an environment, made where they are missing."""
    keys = KeyFolder(Path("secrets/journal") / environment)
    if not keys.epoch_path.exists():
        keys.init()
    return keys


def opened(environment: str = "demo") -> TradingDecisionJournal:
    """The journal, held for writing."""
    genesis = members({"kind": "genesis", "at": at_text(START_US), "environment": environment})
    folder = Path("audit/decision_logs")
    keys = keys_of(environment)
    return TradingDecisionJournal.open(folder, environment, keys, log_id=LOG, genesis=genesis, now_us=START_US)


def written(environment: str = "demo") -> None:
    """Genesis, three runs and decisions of two schedules, and a segment that was sealed as a loop ends in order."""
    with opened(environment) as journal:
        for number in range(3):
            at = at_text(START_US + number * 3_600_000_000)
            schedule = ("trend", "grid")[number % 2]
            journal.append_record({"kind": "run", "at": at, "schedule": schedule, "status": "executed", "reason": ""})
            journal.append_record(
                {
                    "kind": "decision", "at": at, "schedule": schedule, "instrument": "BTCUSDT", "confidence": 0.5,
                    "status": ("accepted", "dropped")[number % 2], "reason": ("", "limit")[number % 2],
                    "category": "decision",
                }
            )  # fmt: skip
            journal.commit()
        journal.close(members({"kind": "checkpoint", "at": at_text(START_US), "state": {"equity": 0.1}}))

"""That a replay with its journal holds what it promises, tried on this machine: the demonstration's last step."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..engine.scheduler.backtest import set_up_scheduler
from ..engine.scheduler.simulation import simulate
from ..replay.clock import SystemClock
from ..replay.journal.files import JournalFiles
from ..replay.journal.verification import verify
from ..replay.journal_replay import replay_journal
from ..replay.key_files import KeyFolder, keys_at_hand
from ..replay.replaying import open_session, own_keys


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was tried, and what came of it.

    Attributes:
        scheduler: The scheduler that was replayed.
        environment: Its environment.
        bars: How many bars it went through.
        records: How many records its journal has.
        secrets: Files of keys and tokens that were made.
        same_as_backtest: Whether decisions, weights and equity were the backtest's, bit for bit.
        verified: Whether every record of the journal bears its signature, in its place.
        compared: How many records came out the same when the journal was done again.
        done_again: Whether all did.
    """

    scheduler: str
    environment: str
    bars: int
    records: int
    secrets: tuple[str, ...]
    same_as_backtest: bool
    verified: bool
    compared: int
    done_again: bool

    @property
    def holds(self) -> bool:
        """Whether all of it is as promised."""
        return self.same_as_backtest and self.verified and self.done_again


def prove(config: Path, *, end: str) -> Proof:
    """Replay a configuration's demonstration with a signed journal, verify it, and do it again from there.

    The journal lies in a temporary folder, and so do the keys that sign it: a journal uses its keys up, and those in
    `secrets/`, which are made where there are none, are for one that is kept.

    Args:
        config: The configuration's file.
        end: When the replay ends, ISO 8601, UTC.
    """
    setup, made = set_up_scheduler(config, end=end), list[Path]()
    own_keys(setup, made.append)
    with tempfile.TemporaryDirectory(prefix="barstep-") as name:
        keys = KeyFolder(Path(name) / "keys")
        keys.init()
        session = open_session(setup, name, keys.path, SystemClock())
        session.run()
        session.close()
        files = JournalFiles(folder=Path(name), environment=setup.environment)
        verification, again = verify(files, keys_at_hand(keys, [])), replay_journal(files.open_segment, config)
    return Proof(
        scheduler=setup.name,
        environment=setup.environment,
        bars=len(setup.panel),
        records=verification.records,
        secrets=tuple(map(str, made)),
        same_as_backtest=session.result().digests == simulate(setup).digests,
        verified=verification.is_good(strict=False) and verification.signed > 0,
        compared=again.compared,
        done_again=again.diverged is None,
    )

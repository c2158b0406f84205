"""How often alerts would have fired, by a journal and by a replay of the same bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from barstep.config.reading import PACKAGED
from barstep.engine.scheduler.backtest import set_up_scheduler
from barstep.ops.alert_histogram import alert_histogram, watch_journal
from barstep.ops.watched_replay import replay_watched
from barstep.replay.bounds import BoundsWatch
from barstep.replay.journal.files import JournalFiles
from barstep.replay.key_files import KeyFolder
from barstep.replay.replaying import replay


def test_a_journal_tells_what_engines_measured_and_the_account(tmp_path: Path) -> None:
    """Counts, episodes and quantiles are those of a replay of the same bars."""
    span = {"start": "2023-06-01", "end": "2023-06-20"}
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    KeyFolder(keys).init()
    replay(PACKAGED, journal=tmp_path / "journal", keys=keys, **span)
    setup = set_up_scheduler(PACKAGED, **span)
    from_journal = BoundsWatch(setup.resolved, setup.profiles)
    watch_journal(JournalFiles(folder=tmp_path / "journal", environment="demo"), from_journal)
    from_replay = replay_watched(setup)
    one, other = (alert_histogram(watch, setup.profiles, setup.resolved, {}) for watch in (from_journal, from_replay))
    assert one == other
    balanced = one["risk_profiles"]["balanced"]
    assert balanced["runs"] > 400
    zscore = balanced["metrics"]["avg_abs_zscore"]
    values = from_replay.seen["mean_reversion_schedule", "balanced", "avg_abs_zscore"].values
    assert zscore["measured"] == len(values) == sum(zscore["counts"].values()) > 300
    assert zscore["counts"]["ok"] == sum(value < 3.0 for value in values)
    assert zscore["quantiles"]["p95"] == float(np.quantile(values, 0.95))
    assert one["risk_profiles"]["aggressive"]["metrics"]["spread_capture_bps"]["measured"] == 0

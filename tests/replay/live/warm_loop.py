"""Loads what a loop needs, once for all that are forked; nothing here opens a connection or starts a thread."""

# ruff: noqa: F401 - loaded for those that are forked

import barstep.cli.app
import barstep.cli.scheduler.run
import barstep.engine.configured
import barstep.replay.control.listening
import barstep.replay.control.opening
import barstep.replay.control.reloading
import barstep.replay.live.opening
from world import World, run

for seed in (4, 6):
    run(World(seed))

"""Hypothesis: quick and the same on every run; `SEEDS=10` searches ten times as many examples, new ones each time."""

import os

from hypothesis import HealthCheck, settings

SEEDS = int(os.environ.get("SEEDS", "1"))

settings.register_profile(
    "seeds",
    max_examples=12 * SEEDS,
    deadline=None,  # the first call of a kernel compiles it
    derandomize=SEEDS == 1,
    database=None,
    print_blob=True,  # what is needed to see a found example again
    suppress_health_check=[HealthCheck.too_slow],  # the suite is also run with the JIT off
)
settings.load_profile("seeds")

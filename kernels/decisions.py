"""What becomes of a signal; `engine.reasons` has the words. The reasons of fills are another table."""

ACCEPTED, WARMUP, DRIFT, SUSPENDED, DISABLED, LIMIT, GOVERNOR, RISK, CAPABILITY, HALTED = range(10)

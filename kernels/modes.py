"""What the loop of a scheduler may do: anything, only lower positions, or nothing."""

RUNNING, REDUCING, HALTED = range(3)

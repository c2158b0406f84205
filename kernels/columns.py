"""Where things stand in the arrays that engines read and fill: rows by name, the same in every engine.

`bars` is float64[column, bar]. `params` begins with what the caller knows of the bars, the engine's own parameters
follow from OWN on. `carry` begins with the number of the next bar. `out` is float64[row, bar]; its first rows are the
same in every engine, its own diagnostics follow from DIAGNOSTICS on.
"""

OPEN, HIGH, LOW, CLOSE, VOLUME, RETURN = range(6)
BAR_COLUMNS = 6
SECONDARY_CLOSE, SECONDARY_DELAY_MS = 6, 7
PAIR_COLUMNS = 8

INTERVAL_SECONDS, ANNUAL_SCALE, TELEMETRY = 0, 1, 2
"""Length of a bar; root of the bars in a year; 1 where all rows are asked for, 0 where only TARGET is: then an engine
may leave the others as they are, or use them as scratch."""
OWN = 3

TARGET, CONFIDENCE, VOLATILITY = range(3)
"""side × exposure; certainty in [0, 1]; annual standard deviation of log returns over the engine's window."""
DIAGNOSTICS = 3

"""Where things stand in the arrays that the scheduler's kernels share: rows by name.

Schedules stand sorted by name and instruments in the universe's order; venues that are only the second leg of a pair
come after the instruments that are traded. Times are microseconds since the epoch: a float64 holds them exactly until
the year 2255.
"""

from ..portfolio import POSITION_CARRY

(
    BALANCE, WRITTEN, EQUITY, PEAK, DAY, DAY_EQUITY, TRADED, SCALE, REFRESHED_AT, COLUMN, PHASE, HALTED_BY, ON_HAND,
    ON_UNIT_HAND, DECISIONS, REFRESHES, EVENTS, IS_LIMITED, GOVERNED_PEAK, DUE, SIZING,
) = range(21)  # fmt: skip
"""`account`: cash; fills written; equity at the last mark and its highest; the day (UTC) that has begun, the last mark
at or before its midnight, and the value traded since; the governor's scale; time of the last refresh of weights (-inf:
none yet); the column of the bar last closed (-1: none); how far an instant has come; the limit that made the governor
halt (0: none); orders on hand, and those of unit accounts; rows of the tables written; 1 where the governor limits
signals; highest mark since the loop was last resumed; schedules that are due; equity that orders are sized by: the cash
of now, positions at their last closes."""
ACCOUNT = 21

BEGIN, HEARD = range(2)
"""PHASE: nothing is done yet; all before the runs is, and what the governor said was heard."""

MODE, REFRESH_NOW, REBALANCE_US, DRIFT_US, INTERVAL_US, WATCHES, RECORDS, ORDER_DELAY_US, FILLS_ARE_TOLD = range(9)
"""`desk`, what holds for all: running, reducing or halted; 1 where weights are to be computed at once; least time
between refreshes; how late runs start; length of a bar; 1 where positions are looked at in every bar; 1 where a policy
reads telemetry; how long an order is on its way; 1 where a venue tells what became of the account's orders, and bars do
not."""
DESK = 9

REFUSAL, LIMIT = range(2)
"""`control`, by schedule: why all of its signals are refused (0: they are not); most signals of a run."""
CONTROL = 2

(
    NEXT_DUE, CADENCE, RUN, MAX_DRIFT, WARM_AT, PROFILE, GROUP, CEILING, HEDGES, TARGET_VOLATILITY, RUNS_ROOT, WEIGHT,
    FACTOR, DIVISOR, FIRST, IS_DUE, HAS_ASKED, ACCEPTED_NOW, UNIT_CASH, UNIT_EQUITY, UNIT_BEFORE, BLOCKS_FROM,
) = range(22)  # fmt: skip
"""`schedules`: next due time; cadence; number of the run that was due last, its due time over the cadence; longest
drift; when the first of its instruments is warm; its profile; its group of one strategy under one profile, and the
ceiling of that; 1 where it trades pairs; the engine's target volatility (NaN: none); root of the runs in a year;
weight; weight × scale that targets were set by, and what those of the unit account were divided by (NaN: to be set
anew); first column at which it may have a signal; 1 where it is due, and where it has accepted something, at this
instant; signals accepted in this run; the unit account's cash, equity, and equity at the last run; the row at
which its blocks of telemetry begin."""
SCHEDULE = 22

MAX_POSITION, MAX_LEVERAGE, MAX_FALL, DAY_BUDGET, IS_REDUCING, SPENT_ON = range(6)
"""`profiles`: greatest position in an instrument and sum of positions over equity; greatest fall from the peak and loss
of a day, as shares; 1 where only what lowers a position passes; the day on which the day's budget was spent."""
PROFILE_ROWS = 6

GOVERNOR_FALL, GOVERNOR_EXPOSURE, GOVERNOR_TURNOVER, GOVERNOR_LIMIT, GOVERNOR_ACTION = range(5)
"""`governor`: greatest fall, wanted exposure and turnover of a day (inf: no limit); signals of a run while one is
broken; what is done."""
GOVERNOR_ROWS = 5
NO_GOVERNOR, ON_SCALE, ON_LIMIT, ON_HALT = range(4)

MARK, WORTH, OPENED_AT, LOT_OF, LEVERAGE_OF, NET, GROSS, PAIR_NET, PAIR_GROSS = range(9)
"""`instruments`: last close (NaN before the first), and 0 in place of NaN; open of the bar that opens now, else the
last close; size of a lot; leverage; lots held by all schedules, signed and by size; the same for pairs."""
INSTRUMENT = 9

WAS, SHARE_WAS, SENT_AT, LISTED = range(POSITION_CARRY, POSITION_CARRY + 4)
"""`cells`, float64[schedule, instrument, real or unit, ·], after what every position has: the wish that stood before
this instant; the share of equity that was ordered before the order on hand; when that went out; 1 where it is
listed."""
CELL = POSITION_CARRY + 4
REAL, UNIT = range(2)

STANDING, SHARE, UNIT_SHARE = range(3)
"""`said`, float64[·, schedule, instrument]: accepted wish, 0 where a level has closed that side; share of equity that
the position was last ordered for, and that of the unit account's."""
SAID = 3

DECIDED_AT, DECIDED_CELL, DECIDED_WISH, DECIDED_CONFIDENCE, DECIDED_REASON, IS_ACCEPTED = range(6)
"""`decisions`: due time; schedule × instruments + instrument; wish; confidence; one of `kernels.decisions`; 1 or 0."""
DECISION = 6

EVENT_AT, EVENT_KIND, EVENT_OF, EVENT_VALUE, EVENT_LIMIT = range(5)
"""`events`: instant; kind; the profile's number; what was measured; the limit."""
EVENT = 5
PROFILE_REDUCES, PROFILE_RECOVERS, GOVERNOR_SCALES, GOVERNOR_LIMITS, GOVERNOR_RELAXES = range(5)

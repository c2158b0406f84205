"""How the stub venue behaves."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ...errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the stub venue behaves. Times of event time are microseconds since the epoch, UTC.

    Attributes:
        name: What it calls itself.
        exact: Whether it goes in lock step with the loop and fills as a backtest does; else event time goes with the
            clock, and orders are filled late, in parts, or not at all.
        speed: Seconds of event time in a second of the clock; infinite: as fast as the loop.
        start_us: Where a new run begins; None: after `history_bars`.
        end_us: The last instant; None: the last close.
        history_bars: Bars before the first instant, where no start is said.
        step_seconds: An instant comes at least so often; None: with each bar.
        once: Whether a run ends with the recorded bars; else the venue stays, and nothing is traded any more.
        latency_us: Event time between an order and its acceptance, and its fill. Only where it is not exact, as is
            what follows, but for the heartbeats.
        slippage_bps: How much worse than its reference a fill is; None: as the loop's rules say.
        partial: Share of orders that are filled in two parts.
        reject: Share of orders that are rejected.
        updates: Unfinished bars that are sent between the open of a bar and its close.
        heartbeat_us: Most time on the clock without a message.
        patience_us: How long an exact venue waits on the clock for the orders of an instant: they may be lost, which
            only a new stream mends.
        seed: Of everything that is drawn.
    """

    name: str = "stub"
    exact: bool = True
    speed: float = inf
    start_us: int | None = None
    end_us: int | None = None
    history_bars: int = 250
    step_seconds: int | None = None
    once: bool = False
    latency_us: int = 0
    slippage_bps: float | None = None
    partial: float = 0.0
    reject: float = 0.0
    updates: int = 4
    heartbeat_us: int = 1_000_000
    patience_us: int = 10_000_000
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least, most in (
            ("history_bars", 1, inf), ("latency_us", 0, inf), ("partial", 0, 1), ("reject", 0, 1), ("updates", 0, 1000),
            ("heartbeat_us", 1, inf), ("patience_us", 1, inf), ("seed", 0, inf), ("slippage_bps", 0, 9_999),
            ("step_seconds", 1, inf),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                allowed = f"{least} or more" if most == inf else f"{least} to {most}"
                raise UsageError(f"{name} is {value!r}; allowed is {allowed}.")
        if not self.speed > 0.0:
            raise UsageError(f"the speed is {self.speed!r}; allowed is more than 0 seconds of event time a second.")
        if not self.exact and self.speed == inf:
            raise UsageError("a venue whose event time goes with the clock needs a speed, such as 60x.")
        if self.exact and (self.latency_us or self.partial or self.reject or self.slippage_bps is not None):
            raise UsageError("latency, slippage, partial fills and rejects are for a paced venue: it does not fill "
                             "as a backtest does.")  # fmt: skip

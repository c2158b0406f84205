"""What the order of prices inside a bar, which nobody recorded, could have made of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .portfolio_result import PortfolioResult
    from .result import Result


@dataclass(frozen=True)
class FillAmbiguity:
    """The interval between the worse and the better order in every ambiguous bar.

    Attributes:
        bars: Bars in which the worse and the better order differ, as counted on the way that was taken; in a portfolio
            once for each position.
        share_pct: Their share of all bars, of all positions.
        pessimistic_equity: Final equity with the worse order in each.
        optimistic_equity: Final equity with the better order in each.
    """

    bars: int
    share_pct: float
    pessimistic_equity: float
    optimistic_equity: float

    @classmethod
    def of(cls, result: Result | PortfolioResult, bars: int) -> FillAmbiguity:
        """The interval around a result of so many bars, each counted once for each position."""
        count = result.ambiguous_bars
        share = count / bars * 100.0 if bars else 0.0
        if count == 0:
            return cls(0, 0.0, result.final_equity, result.final_equity)
        taken = result.execution.ambiguous_fills
        other = result.other_order.final_equity
        pair = (result.final_equity, other) if taken == "pessimistic" else (other, result.final_equity)
        return cls(count, share, *pair)

"""barstep's public portfolio: target weights over one cash account, quantities fixed at the fill."""

from __future__ import annotations

import barstep as bs
import numpy as np
from barstep.kernels import account
from work import BAR_SECONDS, FEE, REBALANCE_BARS, Inputs, Outputs, Work


def _bars(inputs: Inputs) -> list[bs.Bars]:
    opens, closes = inputs["open"].T, inputs["close"].T
    times = np.arange(opens.shape[1], dtype=np.int64) * (BAR_SECONDS * 1_000_000)
    return [
        bs.Bars.from_arrays(
            times, opened, np.maximum(opened, closed), np.minimum(opened, closed), closed,
            interval_seconds=BAR_SECONDS, symbol=f"S{k}",
        )
        for k, (opened, closed) in enumerate(zip(opens, closes, strict=True))
    ]  # fmt: skip


def _read(result: bs.PortfolioResult) -> Outputs:
    f = result.fill_table
    order = np.lexsort((f[account.FILL_LEG], f[account.FILL_BAR]))
    return {
        "bar": f[account.FILL_BAR][order],
        "instrument": f[account.FILL_LEG][order],
        "quantity": f[account.FILL_LOTS][order],
        "price": f[account.FILL_PRICE][order],
        "fee": f[account.FILL_FEE][order],
        "equity": result.equity_values,
    }


def _portfolio(inputs: Inputs, with_equity: bool) -> Work:
    bars, weights = _bars(inputs), inputs["weights"]

    def run() -> bs.PortfolioResult:
        result = bs.portfolio(bars, weights, every=REBALANCE_BARS, sizing_price="fill", fee_bps=FEE * 1e4, lot=1e-12)
        if with_equity:
            _ = result.equity_values
        return result

    return Work(run, _read)


WORK = {
    "portfolio": lambda inputs: _portfolio(inputs, with_equity=False),
    "portfolio_equity": lambda inputs: _portfolio(inputs, with_equity=True),
}

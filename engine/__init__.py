"""The domain, pure and in memory: bars, strategy engines and their catalog, the backtest, results."""

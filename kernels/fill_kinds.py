"""What a row of the table of fills is; `engine.reasons` has the words."""

MARKET, LIMIT, STOP, TAKE_PROFIT, TRAILING_STOP, LIQUIDATION, FUNDING, BORROW_COST = range(8)

"""barstep: one compiled kernel, three drivers, for trading over OHLCV bars."""

__version__ = "0.1.0"

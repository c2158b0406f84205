"""Sweeps: many parameter sets, each backtested over each instrument, with figures reduced as it goes."""

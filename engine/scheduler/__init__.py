"""A governed scheduler: its setup, its state, the machine that every driver turns, and what comes of it."""

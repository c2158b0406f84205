"""Event time and the world: clocks, feeds, the event loop, the journal, signing."""

"""A running loop as operators manage it: what may be asked of it, by whom, and how it answers."""

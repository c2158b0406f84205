"""What keeps an installation and its operation in order; nothing that a run needs."""

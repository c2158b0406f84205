"""The signed journal: how it is written, found again after a crash, and verified."""

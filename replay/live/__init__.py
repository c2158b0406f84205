"""The live loop: the same machine, its bars and its fills told by a venue."""

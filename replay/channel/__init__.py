"""The one channel: Arrow Flight between a loop and its venue, and between an operator and a loop."""

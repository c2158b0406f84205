"""The table of what changed by itself: profiles that let only lower positions, and what the governor did."""

from .._jit import kernel
from .layout import EVENT_AT, EVENT_KIND, EVENT_LIMIT, EVENT_OF, EVENT_VALUE, EVENTS


@kernel
def note(kind, of, now, value, limit, account, events):
    """Write a row: what it was, of whom, when, what was measured, the limit."""
    at = int(account[EVENTS])
    events[EVENT_AT, at], events[EVENT_KIND, at], events[EVENT_OF, at] = now, kind, of
    events[EVENT_VALUE, at], events[EVENT_LIMIT, at] = value, limit
    account[EVENTS] += 1.0

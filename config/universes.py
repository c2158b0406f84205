"""Universes: instruments, and where the bars of each come from."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .fields import Name, Text
from .section import Section


class Feed(Section, kw_only=True):
    """Bars of one instrument at one venue.

    Attributes:
        venue: The venue.
        symbol: What the venue calls the instrument; by default its name in the universe.
        folder: Folder or SQLite cache of recorded bars; by default the environment's `feed`.
    """

    venue: Name
    symbol: Text | None = None
    folder: Text | None = None


class Instrument(Section, kw_only=True):
    """Feeds of an instrument; a venue's name alone is the feed of that venue.

    Attributes:
        primary: Where it is traded.
        secondary: The other venue of an arbitrage.
        fallback: What is read while the primary feed is stalled, see docs/feeds.md.
    """

    primary: Name | Feed
    secondary: Name | Feed | None = None
    fallback: Name | Feed | None = None


class Universe(Section, kw_only=True):
    """Instruments by name, in the order in which ties between signals are broken."""

    instruments: Annotated[dict[Text, Instrument], Meta(min_length=1, extra={"ordered": True})]

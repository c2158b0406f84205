"""What every mapping of the configuration has in common."""

from __future__ import annotations

from msgspec import Struct


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping with known keys; it is never changed in place.

    Its classes say `kw_only` themselves, because msgspec does not inherit it.
    """

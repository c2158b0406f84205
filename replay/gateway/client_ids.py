"""The id under which the exchange knows an order: 8 characters of the order id's digest, and the tag as it is.

The same order has the same id whatever happens in between, and the exchange's own list of orders shows which records of
the journal there were: the tag is `<seq>.<first 16 digits of the MAC>`.
"""

from __future__ import annotations

import base64
import hashlib
import re

MOST_CHARACTERS = 36
"""Of a `newClientOrderId`; letters, digits and `.:/_-` are allowed."""
_TAG = re.compile(r"[0-9]+\.[0-9a-f]{16}")
_OURS = re.compile(r"[A-Za-z0-9_-]{8}-([0-9]+\.[0-9a-f]{16})")


def client_id_of(order_id: str, tag: str) -> str | None:
    """The id for the exchange; None where the tag is none, or too long."""
    digest = base64.urlsafe_b64encode(hashlib.sha384(order_id.encode()).digest()[:6]).decode()
    client_id = f"{digest}-{tag}"
    return client_id if _TAG.fullmatch(tag) and len(client_id) <= MOST_CHARACTERS else None


def tag_of(client_id: str) -> str | None:
    """The tag in an order's id; None where the order is not one of barstep's."""
    found = _OURS.fullmatch(client_id)
    return found[1] if found else None

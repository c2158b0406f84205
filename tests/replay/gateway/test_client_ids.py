"""An order's id at the exchange is made of its own id and its tag."""

from __future__ import annotations

import re

from barstep.replay.gateway.client_ids import client_id_of, tag_of
from hypothesis import given
from hypothesis import strategies as st

ALLOWED = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")


@given(st.text(), st.integers(0, 10**10 - 1), st.integers(0, 2**64 - 1))
def test_an_id_is_what_the_exchange_allows(order_id: str, seq: int, mac: int) -> None:
    """Whatever the order id is, its id has 36 characters at most, all allowed, and shows the tag."""
    client_id = client_id_of(order_id, f"{seq}.{mac:016x}")
    assert client_id is not None
    assert ALLOWED.fullmatch(client_id)
    assert tag_of(client_id) == f"{seq}.{mac:016x}"


def test_the_same_order_has_the_same_id() -> None:
    """It depends on order id and tag alone, and both change it."""
    tag = "12.00000000000000ff"
    assert client_id_of("a", tag) == client_id_of("a", tag)
    assert client_id_of("a", tag) != client_id_of("b", tag)
    assert client_id_of("a", tag) != client_id_of("a", "13.00000000000000ff")


def test_what_is_no_tag_gives_no_id() -> None:
    """A tag of another form, or too long, is refused."""
    for tag in ("", "12", "x.00000000000000ff", "12.ff", "12345678901234567890.00000000000000ff"):
        assert client_id_of("a", tag) is None
    assert tag_of("web_123") is None

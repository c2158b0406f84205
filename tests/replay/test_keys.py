"""Keys and how they evolve."""

from __future__ import annotations

import hashlib
import hmac

from barstep.replay.keys import EpochKey, derive, kid_of

ROOT = bytes(range(32))


def test_each_purpose_has_a_key_of_its_own() -> None:
    """A key is the HMAC of its label, and two labels have two keys."""
    assert derive(ROOT, "journal") == hmac.new(ROOT, b"barstep/journal/v1", hashlib.sha384).digest()
    assert derive(ROOT, "journal") != derive(ROOT, "bundles")


def test_a_key_evolves_by_hmac_and_keeps_its_name() -> None:
    """Epoch 2 is two steps from epoch 0, under one `kid`."""
    first = EpochKey.first(ROOT)
    second = first.evolved().evolved()
    step = hmac.new(first.key, b"evolve", hashlib.sha384).digest()
    assert second.key == hmac.new(step, b"evolve", hashlib.sha384).digest()
    assert (second.epoch, second.kid) == (2, kid_of(ROOT))


def test_a_key_does_not_show() -> None:
    """What is printed by mistake tells nothing."""
    first = EpochKey.first(ROOT)
    assert first.key.hex() not in repr(first) and repr(first.key) not in repr(first)

"""`barstep licence`: what is granted, and a licence signed with one's own key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

Run = Callable[..., Any]


def test_the_shipped_licence_is_shown(barstep: Run) -> None:
    """Its holder and what it grants; as JSON too."""
    shown = barstep("licence", "show")
    assert (shown.code, shown.err) == (0, "")
    assert "barstep demo: the signature is good; granted:" in shown.out
    document = json.loads(barstep("licence", "show", "--json").out)["licence"]
    assert "strategy.mean_reversion" in document["capabilities"]


def test_an_issuer_signs_and_a_holder_shows(barstep: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is not overwritten; without the public key it is not believed."""
    private, licence = Ed25519PrivateKey.generate(), tmp_path / "licence.json"
    key, public = tmp_path / "key", tmp_path / "acme.pem"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    words = ["licence", "sign", licence, "--holder", "Acme", "--capability", "strategy.own", "--issuer", "acme"]
    assert barstep(*words, "--key", key).code == 0
    assert barstep(*words, "--key", key).code == 2
    refused = barstep("licence", "show", licence)
    assert refused.code == 4
    assert "unknown licence issuer 'acme'" in refused.err
    monkeypatch.setenv("BARSTEP_LICENCE_ISSUERS", str(tmp_path))
    shown = barstep("licence", "show", licence, "--json")
    assert json.loads(shown.out) == {"licence": {"holder": "Acme", "capabilities": ["strategy.own"]}}

"""The seal of a saved result: no value can be changed without its digest telling."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from barstep.engine.seal import FILES, SEAL, document_digest, file_digest, sealed

DOCUMENT = {"metrics": {"sharpe": 1.25, "sortino": None}, "data": [{"symbol": "ŁÓDŹ"}]}


def test_a_sealed_document_holds_its_own_digest() -> None:
    """It is that of its content, files included, as JSON with sorted keys and without spaces."""
    whole = sealed(DOCUMENT, {"b": "2", "a": "1"})
    plain = {**DOCUMENT, "files": {"a": "1", "b": "2"}}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert whole == {**plain, SEAL: hashlib.sha384(text.encode()).hexdigest()}
    assert list(whole[FILES]) == ["a", "b"]


def test_what_is_read_back_has_the_same_digest() -> None:
    """Neither indentation nor the order of keys matters; a value does."""
    whole = sealed(DOCUMENT, {})
    read = json.loads(json.dumps(dict(reversed(whole.items())), indent=4))
    assert document_digest(read) == whole[SEAL]
    read["metrics"]["sharpe"] = 1.2500000000000002
    assert document_digest(read) != whole[SEAL]


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    """It is what `sha384sum` prints."""
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == hashlib.sha384(b"abc").hexdigest()

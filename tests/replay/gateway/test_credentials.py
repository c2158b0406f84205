"""Key and secret come from a private file or the environment and show nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.errors import AuthorizationError, DataError, JournalError
from barstep.replay.gateway.credentials import KEY_VARIABLE, SECRET_VARIABLE, read_credentials
from barstep.replay.private_files import write_private


def test_both_or_none() -> None:
    """Both of the environment, or none; half of them is refused by name, without showing the other half."""
    found = read_credentials({KEY_VARIABLE: "k-1", SECRET_VARIABLE: " s-1\n"}, None)
    assert found is not None
    assert (found.key, found.secret) == ("k-1", "s-1")
    assert "k-1" not in repr(found)
    assert "s-1" not in repr(found)
    assert found.without("k-1 and s-1") == "[key] and [secret]"
    assert read_credentials({}, None) is None
    with pytest.raises(AuthorizationError, match="secret is missing") as refused:
        read_credentials({KEY_VARIABLE: "k-1"}, None)
    assert "k-1" not in str(refused.value)


def test_a_private_file(private: Path) -> None:
    """A file of ours alone is read; one that others may read, that lacks a member or is no JSON is refused."""
    path = private / "binance.json"
    with pytest.raises(DataError, match="no such file"):
        read_credentials({}, path)
    write_private(path, b'{"key": "k-2", "secret": "s-2"}')
    found = read_credentials({KEY_VARIABLE: "k-1", SECRET_VARIABLE: "s-1"}, path)
    assert found is not None
    assert (found.key, found.secret) == ("k-2", "s-2")
    for text in (b'{"key": "k-2"}', b"k-2 s-2"):
        write_private(path, text, replace=True)
        with pytest.raises(AuthorizationError, match="is missing") as refused:
            read_credentials({}, path)
        assert "k-2" not in str(refused.value)
    path.chmod(0o644)
    with pytest.raises(JournalError, match="0644"):
        read_credentials({}, path)

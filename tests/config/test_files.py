"""Files as trees: which cannot be looked into, and where problems stand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import barstep as bs
import pytest
from barstep.config.files import read_file
from barstep.config.problems import Problem


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a: 1\nb: \xff\n", "core.yaml: is not UTF-8 in line 2; save it as UTF-8."),
        ("a: ä".encode("utf-16"), "core.yaml: is not UTF-8 in line 1"),
        (b"#" * 4_000_001, "core.yaml: has more than 4,000,000 bytes; that much is not read."),
        (None, "core.yaml: no such file."),
    ],
)
def test_a_file_that_cannot_be_looked_into(data: bytes | None, says: str, tmp_path: Path) -> None:
    """Another encoding, a huge file and a missing one are refused with the file's name."""
    path = tmp_path / "core.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(bs.ConfigError) as refused:
        read_file(path)
    assert says in str(refused.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder is refused in one line."""
    with pytest.raises(bs.ConfigError, match="cannot be read: Is a directory"):
        read_file(tmp_path)


def test_a_tree_with_its_digest(tmp_path: Path) -> None:
    """What stands in it, and the digest of its bytes."""
    path = tmp_path / "core.yaml"
    path.write_bytes(b"a: 1\n")
    read = read_file(path)
    assert (read.problems, read.root.find(("a",)).value) == ((), 1)
    assert read.file_sha384 == hashlib.sha384(b"a: 1\n").hexdigest()


def test_problems_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Each is put at the place of its path; warnings refuse nothing."""
    path = tmp_path / "core.yaml"
    path.write_text("a: 1\nb:\n  c: 2\n")
    late, early = Problem(path=("b", "c"), text="is 2."), Problem(path=("a",), text="is 1.", severity="warning")
    read = read_file(path).with_problems([late, early])
    assert [(one.line, one.column, one.text) for one in read.problems] == [(1, 1, "is 1."), (3, 3, "is 2.")]
    assert ([one.text for one in read.errors], [one.text for one in read.warnings]) == (["is 2."], ["is 1."])

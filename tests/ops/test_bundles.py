"""Bundles: the same bytes each time, every fault told apart, and hostile ones refused with nothing written."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from barstep.errors import DataError, JournalError, UsageError
from barstep.ops.bundles.archives import tar_gz_of, zip_of
from barstep.ops.bundles.faults import BundleError, Verdict
from barstep.ops.bundles.keys import (
    SigningKey,
    make_signing_key,
    read_public_key,
    read_signing_key,
)
from barstep.ops.bundles.making import BundleFiles, make_bundle
from barstep.ops.bundles.names import check_names
from barstep.ops.bundles.unpacking import unpack_bundle
from barstep.ops.bundles.verifying import bundle_beside, verify_bundle
from hostile_archives import KINDS, hostile_bundle

SEEDS = int(os.environ.get("SEEDS", "1"))
HOSTILE = len(KINDS) if SEEDS == 1 else max(200, len(KINDS) * SEEDS)
MEMBERS = {"rules/a.yml": b"groups: []\n", "dashboards/b.json": b"{}\n", "c": b""}
_WRITING = {"os.mkdir", "os.rename", "os.symlink", "os.link", "os.truncate", "os.chmod", "os.remove", "os.rmdir"}
_seen: list[str] | None = None


def _notice(event: str, arguments: tuple[object, ...]) -> None:
    if _seen is None:
        return
    opened_to_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if event in _WRITING or opened_to_write:
        _seen.append(f"{event} {arguments[0]!r}")


sys.addaudithook(_notice)  # of the interpreter: nothing is written that it does not see


@contextmanager
def noticed() -> Iterator[list[str]]:
    """A list of everything that is written, made or renamed meanwhile, wherever it is."""
    global _seen  # noqa: PLW0603 - an audit hook cannot be taken away again
    _seen = []
    try:
        yield _seen
    finally:
        _seen = None


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SigningKey]:
    """A secret, another one, and a pair."""
    folder = tmp_path_factory.mktemp("keys")
    folder.chmod(0o700)
    for name in ("secret", "other", "pair"):
        make_signing_key(folder / name, ed25519=name == "pair")
    return {name: read_signing_key(folder / name) for name in ("secret", "other", "pair")}


@pytest.fixture
def make(tmp_path: Path, keys: dict[str, SigningKey]) -> Callable[..., BundleFiles]:
    """Makes a bundle of `MEMBERS`."""

    def made(kind: str = "observability", key: str = "secret", folder: str = "made", **more: object) -> BundleFiles:
        options = {"key_id": "a-key", "provenance": {"barstep": "0"}, "folder": tmp_path / folder, **more}
        return make_bundle(kind, "1.0", MEMBERS, key=keys[key], **options)

    return made


@pytest.mark.parametrize("number", range(HOSTILE))
def test_hostile_bundles_are_refused_with_nothing_written(
    number: int, tmp_path: Path, keys: dict[str, SigningKey]
) -> None:
    """Whatever is wrong is told as what it is; no file, folder or link comes of it, inside or outside."""
    form, kind = KINDS[number % len(KINDS)]
    (tmp_path / "in").mkdir()
    hostile = hostile_bundle(form, kind, number, tmp_path / "in", keys["secret"], keys["other"])
    before = tree(tmp_path)
    with noticed() as written, pytest.raises(BundleError) as refused:
        unpack_bundle(verify_bundle(hostile.files, keys["secret"]), tmp_path / "out")
    assert refused.value.verdict in hostile.verdicts, str(refused.value)
    assert not written
    assert tree(tmp_path) == before


@pytest.mark.parametrize("kind", ["stage4-strategies", "observability"])
@pytest.mark.parametrize("key", ["secret", "pair"])
def test_a_bundle_is_unpacked_as_it_was_made(
    kind: str, key: str, make: Callable[..., BundleFiles], keys: dict[str, SigningKey], tmp_path: Path
) -> None:
    """With either kind of key, and as two forms of archive; writing begins after verifying."""
    files = make(kind, key)
    with noticed() as written:
        verified = verify_bundle(files, keys[key], key_id="a-key")
        assert not written
        unpacked = unpack_bundle(verified, tmp_path / "deep/out")
    assert written
    assert {path.relative_to(tmp_path / "deep/out").as_posix(): path.read_bytes() for path in unpacked} == MEMBERS
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    with pytest.raises(UsageError, match="is there already"):
        unpack_bundle(verified, tmp_path / "deep/out")


def test_nothing_is_left_where_unpacking_fails(
    make: Callable[..., BundleFiles], keys: dict[str, SigningKey], tmp_path: Path
) -> None:
    """A disk that is full midway leaves no folder behind, not a temporary one either."""
    verified = verify_bundle(make(), keys["secret"])
    broken = replace(verified, members={**verified.members, "c/below": b"where a file is"})
    before = tree(tmp_path)
    with pytest.raises(OSError):
        unpack_bundle(broken, tmp_path / "out")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("kind", ["stage4-strategies", "observability"])
def test_the_same_inputs_give_the_same_bytes(kind: str, make: Callable[..., BundleFiles]) -> None:
    """In another folder, at another time; and no time, owner or compression is in it."""
    one, two = make(kind), make(kind, folder="again")
    for name in ("archive", "manifest", "signature"):
        assert getattr(one, name).read_bytes() == getattr(two, name).read_bytes()
    assert make(kind) == one
    if kind == "observability":
        assert one.archive.read_bytes()[4:8] == bytes(4)
        with tarfile.open(one.archive) as archive:
            assert [(m.name, m.mtime, m.uid, m.uname) for m in archive] == [(n, 0, 0, "") for n in sorted(MEMBERS)]
    else:
        with zipfile.ZipFile(one.archive) as archive:
            assert {(m.date_time, m.compress_type) for m in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 0)}


def test_an_hmac_can_be_checked_by_anybody_with_the_secret(make: Callable[..., BundleFiles], tmp_path: Path) -> None:
    """By the formula in docs/bundles.md, over all bytes of the manifest's file."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    make_signing_key(folder / "key")
    files = make_bundle(
        "observability", "1", MEMBERS, key=read_signing_key(folder / "key"), key_id="k", provenance={}, folder=tmp_path
    )
    derived = hmac.digest(bytes.fromhex((folder / "key").read_text()), b"barstep/bundle/v1", "sha384")
    signature = json.loads(files.signature.read_bytes())["signature"]
    assert hmac.new(derived, files.manifest.read_bytes(), hashlib.sha384).hexdigest() == signature
    manifest = json.loads(files.manifest.read_bytes())
    archive = files.archive.read_bytes()
    assert manifest["archive"]["sha256"] == hashlib.sha256(archive).hexdigest()
    assert manifest["archive"]["sha384"] == hashlib.sha384(archive).hexdigest()
    (empty,) = [one for one in manifest["members"] if one["path"] == "c"]
    assert (empty["bytes"], empty["sha256"]) == (0, hashlib.sha256(b"").hexdigest())


def test_a_public_key_checks_and_cannot_sign(
    make: Callable[..., BundleFiles], keys: dict[str, SigningKey], tmp_path: Path
) -> None:
    """Of a pair; it is told apart from a secret, by content, in both directions."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    made = make_signing_key(folder / "pair", ed25519=True)
    public = read_public_key(made[1])
    files = make_bundle(
        "observability", "1", MEMBERS, key=read_signing_key(made[0]), key_id="k", provenance={}, folder=tmp_path
    )
    assert verify_bundle(files, public).manifest.version == "1"
    assert not hasattr(public, "sign")
    for key in (keys["secret"], keys["pair"]):
        with pytest.raises(BundleError, match="WRONG KEY"):
            verify_bundle(files, key)
    with pytest.raises(BundleError, match=r"WRONG KEY .* 'k'; 'other' is asked for"):
        verify_bundle(files, public, key_id="other")
    with pytest.raises(JournalError, match="no Ed25519 public key"):
        read_public_key(made[0])


def test_keys_are_private_and_kept(tmp_path: Path) -> None:
    """Modes are 0600; one that is there is kept; what is open to others or no key is refused; none is in a repr."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    (path,) = make_signing_key(folder / "key")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="is kept"):
        make_signing_key(path)
    secret = path.read_text().strip()
    key = read_signing_key(path)
    assert secret not in repr(key) and repr(key.key) not in repr(key)
    path.chmod(0o640)
    with pytest.raises(JournalError, match="chmod 0600"):
        read_signing_key(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(JournalError, match="holds no key that signs bundles"):
        read_signing_key(path)
    with pytest.raises(DataError, match="no such file"):
        read_public_key(folder / "absent")


def test_another_bundle_of_the_same_name_is_kept(make: Callable[..., BundleFiles], tmp_path: Path) -> None:
    """The same bytes may be written again; others only with `overwrite`."""
    files = make()
    make()
    with pytest.raises(UsageError, match="says something else"):
        make(provenance={"barstep": "1"})
    before = tree(tmp_path)
    make(provenance={"barstep": "1"}, overwrite=True)
    changed = {path for path, data in tree(tmp_path).items() if data != before[path]}
    assert changed == {str(files.manifest), str(files.signature)}
    with pytest.raises(UsageError, match="--key-id"):
        make(key_id="a key")


def test_files_are_found_beside_each_other(make: Callable[..., BundleFiles], tmp_path: Path) -> None:
    """By the archive or the manifest, both kinds in one folder; several archives of one manifest are not guessed at."""
    strategies, observability = make("stage4-strategies"), make("observability")
    for files in (strategies, observability):
        assert bundle_beside(files.archive) == files
        assert bundle_beside(files.manifest) == files
    (observability.archive.parent / "another.tar.gz").write_bytes(b"")
    with pytest.raises(UsageError, match="several archives"):
        bundle_beside(observability.manifest)
    with pytest.raises(DataError, match="no such file"):
        bundle_beside(tmp_path / "absent.zip")
    (tmp_path / "x.txt").write_bytes(b"")
    with pytest.raises(UsageError, match="is no bundle"):
        bundle_beside(tmp_path / "x.txt")


def test_an_archive_under_another_name_is_not_the_one_that_was_signed(
    make: Callable[..., BundleFiles], keys: dict[str, SigningKey]
) -> None:
    """An older version cannot be given out as a newer one."""
    files = make()
    renamed = files.archive.rename(files.archive.with_name("observability-bundle-2.0.tar.gz"))
    with pytest.raises(BundleError) as refused:
        verify_bundle(bundle_beside(renamed), keys["secret"])
    assert refused.value.verdict is Verdict.EDITED_ARCHIVE


@pytest.mark.parametrize("good", ["a", "a/b.yml", "rules/x-1_2.yaml", "A/b/C.json", "__init__.py"])
def test_plain_names_are_allowed(good: str) -> None:
    """Letters, digits, dots inside, underscores and hyphens, in folders."""
    check_names([good, f"{good}x"])


def test_archives_can_be_read_by_anything() -> None:
    """They are plain ZIP and tar, for whoever has no barstep."""
    with zipfile.ZipFile(io.BytesIO(zip_of(MEMBERS))) as zipped:
        assert {name: zipped.read(name) for name in zipped.namelist()} == MEMBERS
    with tarfile.open(fileobj=io.BytesIO(tar_gz_of(MEMBERS)), mode="r:gz") as tarred:
        assert tarred.getnames() == sorted(MEMBERS)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([""], "has no name"),
        (["/a"], "absolute"),
        (["a\\b"], "another system"),
        (["c:a"], "another system"),
        (["../a"], "leads out of its folder"),
        (["a/../../b"], "leads out of its folder"),
        (["a//b"], "or around in it"),
        (["a/./b"], "or around in it"),
        ([".a"], "no dot first or last"),
        (["a/b."], "no dot first or last"),
        (["a b"], "allowed are letters"),
        (["aux.txt"], "is a device"),
        (["a" * 201], "has a name of 201 characters"),
        (["/".join("a" * 13)], "lies 13 levels deep"),
        (["a", "a"], "is listed twice"),
        (["a/B", "A/b"], "differ by case only"),
        (["a", "a/b"], "is a file, and the folder of 'a/b'"),
    ],
)
def test_names_are_refused_for_what_is_wrong_with_them(names: list[str], text: str) -> None:
    """Each fault is told as what it is."""
    with pytest.raises(BundleError) as refused:
        check_names(names)
    assert refused.value.verdict is Verdict.UNSAFE_MEMBER
    assert text in str(refused.value)

"""A bundle as files: made whole, followed by the next, and refused where anything is not as it should be."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from barstep.errors import DataError, JournalError, UsageError
from barstep.replay import certificates
from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import finish_overlap, load_identity, rotate_bundle
from barstep.replay.issuing import (
    Issued,
    client_name,
    is_issued_by,
    is_key_of,
    issued,
    names_of,
    new_authority,
    read_certificate,
    read_key,
    server_name,
)
from barstep.replay.private_files import write_private
from bundle_making import DAY_US, NOW_US, made
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

Change = Callable[[BundleFolder], object]
ANEW = r"`barstep keys rotate --mtls-bundle core-oem`"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of bundles."""
    return tmp_path / "secrets" / "mtls"


def test_a_bundle_is_made_once_and_whole(folder: Path) -> None:
    """Six private files, none else; a second time nothing is changed."""
    files = made(folder)
    names = ["ca.key", "ca.pem", "client.key", "client.pem", "server.key", "server.pem"]
    assert sorted(path.name for path in files.path.iterdir()) == names
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.path.iterdir())
    assert stat.S_IMODE(files.path.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["core-oem"]
    before = contents(files)
    with pytest.raises(UsageError, match="is there already and is kept"):
        made(folder)
    assert contents(files) == before


def test_what_was_interrupted_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash while it was made there is no bundle, and it is made anew."""
    real = certificates.write_private

    def crashing(path: Path, data: bytes, *, replace: bool = False) -> None:
        if path.name == "client.pem":
            raise KeyboardInterrupt
        real(path, data, replace=replace)

    monkeypatch.setattr(certificates, "write_private", crashing)
    with pytest.raises(KeyboardInterrupt):
        made(folder)
    with pytest.raises(DataError, match="no such bundle"):
        load_identity(folder, "core-oem", "client", now_us=NOW_US)
    monkeypatch.undo()
    made(folder)
    assert [path.name for path in folder.iterdir()] == ["core-oem"]


def test_an_identity_is_what_one_end_shows(folder: Path) -> None:
    """Its certificate, its key, the authority and its one name; the key does not show."""
    files = made(folder)
    server = load_identity(folder, "core-oem", "server", now_us=NOW_US)
    client = load_identity(folder, "core-oem", "client", now_us=NOW_US + 89 * DAY_US)
    assert (server.name, client.name) == ("localhost", "barstep://client/loop")
    assert client.certificate == files.certificate_path("client").read_bytes()
    assert server.authority == client.authority == files.authority_path.read_bytes()
    key = read_key(client.key)
    certificate = read_certificate(client.certificate)
    assert key is not None and certificate is not None and is_key_of(key, certificate)
    assert client.key.decode().splitlines()[1] not in repr(client)


def test_an_end_needs_its_own_files_only(folder: Path) -> None:
    """The authority's key is taken off, and another machine has no key but its own."""
    files = made(folder)
    for path in (files.authority_key_path, files.key_path("server"), files.certificate_path("server")):
        path.unlink()
    assert load_identity(folder, "core-oem", "client", now_us=NOW_US).name == "barstep://client/loop"
    with pytest.raises(DataError, match=r"server\.pem: no such file"):
        load_identity(folder, "core-oem", "server", now_us=NOW_US)


def _foreign(files: BundleFolder) -> None:
    one = issued("client", client_name("loop"), new_authority("foreign", NOW_US), NOW_US)
    keep(files, one)


def _own(files: BundleFolder, one: Callable[[Issued], Issued]) -> None:
    authority = read_certificate(files.authority_path.read_bytes())
    assert authority is not None
    keep(files, one(Issued(certificate=authority, key=files.key(files.authority_key_path))))


def _names(*names: x509.GeneralName) -> Callable[[Issued], Issued]:
    def one(authority: Issued) -> Issued:
        plain = issued("client", client_name("loop"), authority, NOW_US)
        builder = x509.CertificateBuilder(
            issuer_name=plain.certificate.issuer,
            subject_name=plain.certificate.subject,
            public_key=plain.key.public_key(),
            serial_number=1,
            not_valid_before=plain.certificate.not_valid_before_utc,
            not_valid_after=plain.certificate.not_valid_after_utc,
            extensions=[of for of in plain.certificate.extensions if of.oid != x509.SubjectAlternativeName.oid],
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Issued(certificate=builder.sign(authority.key, SHA256()), key=plain.key)

    return one


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda files: files.key_path("client").chmod(0o640), r"client\.key: has mode 0640.*chmod 0600"),
        (lambda files: files.certificate_path("client").chmod(0o622), r"client\.pem: has mode 0622.*chmod 0600"),
        (lambda files: files.authority_path.chmod(0o644), r"ca\.pem: has mode 0644.*chmod 0600"),
        (lambda files: files.path.chmod(0o755), "core-oem: has mode 0755.*chmod 0700"),
        (_foreign, rf"client\.pem: was issued by 'CN=foreign authority \w+', which is not .*core-oem.*{ANEW}"),
        (
            lambda files: write_private(
                files.key_path("client"), files.key_path("server").read_bytes(), replace=True
            ),
            rf"client\.key: is not the key of .*client\.pem\. {ANEW} makes both anew",
        ),
        (lambda files: _own(files, _names()), rf"client\.pem: has 0 names \(SAN\), where exactly one is.*{ANEW}"),
        (
            lambda files: _own(files, _names(client_name("a"), client_name("b"))),
            rf"client\.pem: has 2 names \(SAN\), where exactly one is allowed\. {ANEW}",
        ),
        (
            lambda files: _own(files, lambda authority: issued("server", server_name("h"), authority, NOW_US)),
            rf"client\.pem: is not made for a client\. {ANEW}",
        ),
        (lambda files: files.key_path("client").write_bytes(b"x"), rf"client\.key: no key .*{ANEW} makes it anew"),
        (lambda files: files.certificate_path("client").write_bytes(b"x"), rf"client\.pem: not one cert.*{ANEW}"),
        (
            lambda files: files.authority_path.write_bytes(files.certificate_path("client").read_bytes()),
            r"ca\.pem: is no authority's certificate\. Put the one there",
        ),
        (lambda files: files.authority_path.write_bytes(b""), r"ca\.pem: not one cert.* Put back what was there"),
    ],
)  # fmt: skip
def test_what_is_not_in_order_is_refused(change: Change, says: str, folder: Path) -> None:
    """Each with its own sentence and what mends it."""
    files = made(folder)
    change(files)
    with pytest.raises(JournalError, match=says):
        load_identity(folder, "core-oem", "client", now_us=NOW_US)


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (90, r"client\.pem: expired at 2024-03-31T00:00:00Z\. `barstep keys rotate --mtls-bundle core-oem` makes"),
        (730, r"ca\.pem: expired at 2025-12-31T00:00:00Z\. `barstep keys rotate --mtls-bundle core-oem --authority`"),
        (
            -1,
            r"ca\.pem: is not valid before 2023-12-31T23:55:00Z, .* clock it is 2023-12-31T00:00:00Z\. Set the clock",
        ),
    ],
)
def test_a_certificate_out_of_its_time_is_refused(days: int, says: str, folder: Path) -> None:
    """To the second at which it ends, and before it begins."""
    made(folder)
    with pytest.raises(JournalError, match=says):
        load_identity(folder, "core-oem", "client", now_us=NOW_US + days * DAY_US)
    if days > 0:
        load_identity(folder, "core-oem", "server", now_us=NOW_US + 90 * DAY_US - 1)


def test_what_is_not_there_is_said_with_what_makes_it(folder: Path) -> None:
    """The command names the bundle; what cannot be a bundle's name is refused."""
    with pytest.raises(DataError, match=r"core-oem: no such bundle\. `barstep keys init --mtls-bundle core-oem`"):
        load_identity(folder, "core-oem", "client", now_us=NOW_US)
    for name in ("", "..", "a/b", "a b", "-x", "x" * 41):
        with pytest.raises(UsageError, match="allowed are up to 40"):
            load_identity(folder, name, "client", now_us=NOW_US)


def test_leaves_are_made_anew_under_the_same_authority(folder: Path) -> None:
    """With the same names, or others that are told; the authority stays, and only one is trusted."""
    files = made(folder)
    before, later = contents(files), NOW_US + 60 * DAY_US
    rotate_bundle(files, now_us=later)
    after = contents(files)
    assert {name for name in after if after[name] != before[name]} == {
        "server.pem", "server.key", "client.pem", "client.key",
    }  # fmt: skip
    assert load_identity(folder, "core-oem", "server", now_us=later + 80 * DAY_US).name == "localhost"
    rotate_bundle(files, host="10.0.0.7", client="other", now_us=later)
    assert load_identity(folder, "core-oem", "server", now_us=later).name == "10.0.0.7"
    assert load_identity(folder, "core-oem", "client", now_us=later).name == "barstep://client/other"


def test_a_key_that_is_kept_elsewhere_signs(folder: Path, tmp_path: Path) -> None:
    """It stays there; without it nothing is made, and another one is refused."""
    files = made(folder)
    kept, before = tmp_path / "kept" / "ca.key", contents(files)
    write_private(kept, files.authority_key_path.read_bytes())
    files.authority_key_path.unlink()
    with pytest.raises(DataError, match=r"ca\.key: no such file, and nothing is signed .* --authority-key FILE"):
        rotate_bundle(files, now_us=NOW_US)
    with pytest.raises(JournalError, match=r"server\.key: is not the key of .*ca\.pem"):
        rotate_bundle(files, authority_key=files.key_path("server"), now_us=NOW_US)
    rotate_bundle(files, authority_key=kept, now_us=NOW_US)
    assert contents(files)["server.pem"] != before["server.pem"]
    assert not files.authority_key_path.exists()


def test_a_name_that_is_not_there_is_asked_for(folder: Path) -> None:
    """On a machine without the server's certificate, or where it is unreadable, its host has to be said."""
    files = made(folder)
    files.certificate_path("server").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"server\.pem: does not tell the one name of the server; say it by --host"):
        rotate_bundle(files, now_us=NOW_US)
    rotate_bundle(files, host="localhost", now_us=NOW_US)
    assert load_identity(folder, "core-oem", "server", now_us=NOW_US).name == "localhost"


def test_a_new_authority_is_trusted_beside_the_old_one_until_it_is_finished(folder: Path) -> None:
    """Both stand in the identity, with the bridge from the old to the new; in the end the new one alone."""
    files = made(folder)
    old = files.found(files.authority_path).certificate
    rotate_bundle(files, with_authority=True, now_us=NOW_US)
    new = files.found(files.authority_path).certificate
    assert new.subject != old.subject and is_key_of(files.key(files.authority_key_path), new)
    identity = load_identity(folder, "core-oem", "client", now_us=NOW_US)
    assert x509.load_pem_x509_certificates(identity.authority) == [new, old]
    leaf, bridge = x509.load_pem_x509_certificates(identity.certificate)
    assert is_issued_by(leaf, new) and is_issued_by(bridge, old) and bridge.public_key() == new.public_key()
    with pytest.raises(UsageError, match=r"--finish` ends that; then make a new one"):
        rotate_bundle(files, with_authority=True, now_us=NOW_US)
    rotate_bundle(files, now_us=NOW_US)
    finish_overlap(files)
    identity = load_identity(folder, "core-oem", "client", now_us=NOW_US)
    assert x509.load_pem_x509_certificates(identity.authority) == [new]
    assert len(x509.load_pem_x509_certificates(identity.certificate)) == 1
    with pytest.raises(UsageError, match="only one authority is trusted"):
        finish_overlap(files)


@pytest.mark.parametrize("stop_at", range(8))
def test_a_change_of_authority_that_was_interrupted_is_done_again(
    stop_at: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stopped, both ends are still let in or are told what to do, and doing it again ends well."""
    files = made(folder)
    real, writes = certificates.write_private, iter(range(100))

    def crashing(path: Path, data: bytes, *, replace: bool = False) -> None:
        if next(writes) == stop_at:
            raise KeyboardInterrupt
        real(path, data, replace=replace)

    monkeypatch.setattr(certificates, "write_private", crashing)
    with pytest.raises(KeyboardInterrupt):
        rotate_bundle(files, with_authority=True, now_us=NOW_US)
    monkeypatch.undo()
    for role in ("server", "client"):
        try:
            load_identity(folder, "core-oem", role, now_us=NOW_US)
        except JournalError as error:
            assert stop_at in (5, 7) and "rotate --mtls-bundle core-oem` makes both anew" in str(error)
    try:
        rotate_bundle(files, now_us=NOW_US)
    except JournalError as error:
        assert stop_at in (2, 3) and "--authority` makes a new authority" in str(error)
        rotate_bundle(files, with_authority=True, now_us=NOW_US)
    if files.is_overlapping:
        finish_overlap(files)
    for role in ("server", "client"):
        identity = load_identity(folder, "core-oem", role, now_us=NOW_US)
        assert len(x509.load_pem_x509_certificates(identity.authority)) == 1


def test_an_overlap_does_not_end_while_an_old_certificate_is_here(folder: Path) -> None:
    """It would not be let in any more."""
    files = made(folder)
    old = files.certificate_path("client").read_bytes(), files.key_path("client").read_bytes()
    rotate_bundle(files, with_authority=True, now_us=NOW_US)
    write_private(files.certificate_path("client"), old[0], replace=True)
    write_private(files.key_path("client"), old[1], replace=True)
    load_identity(folder, "core-oem", "client", now_us=NOW_US)
    with pytest.raises(UsageError, match=r"client\.pem: is not of the new authority and would not be let in"):
        finish_overlap(files)
    assert files.is_overlapping


def test_an_authority_that_has_expired_is_followed(folder: Path) -> None:
    """By a new one alone: it cannot sign any more, and so there is no bridge from it."""
    files, later = made(folder), NOW_US + 800 * DAY_US
    with pytest.raises(JournalError, match=r"ca\.pem: expired at .* --authority` makes a new one"):
        rotate_bundle(files, now_us=later)
    rotate_bundle(files, with_authority=True, now_us=later)
    identity = load_identity(folder, "core-oem", "server", now_us=later)
    assert len(x509.load_pem_x509_certificates(identity.certificate)) == 1
    finish_overlap(files)
    assert not files.is_overlapping


def keep(files: BundleFolder, one: Issued) -> None:
    """Put a client's certificate in the place of the one that is there."""
    write_private(files.certificate_path("client"), one.certificate_pem, replace=True)
    write_private(files.key_path("client"), one.key_pem, replace=True)


def contents(files: BundleFolder) -> dict[str, bytes]:
    """Every file of a bundle."""
    return {path.name: path.read_bytes() for path in files.path.iterdir()}


def test_names_are_kept_in_a_change_of_authority(folder: Path) -> None:
    """Host and client are who they were."""
    files = made(folder)
    rotate_bundle(files, with_authority=True, now_us=NOW_US)
    named = [names_of(files.found(files.certificate_path(role)).certificate) for role in ("server", "client")]
    assert named == [[server_name("localhost")], [client_name("loop")]]

"""A bundle of certificates for mTLS as files: an authority of one's own, a server and a client that it has signed.

docs/security.md tells what lies where, and how an authority is followed by the next one without anybody being locked
out: while both are trusted, each end shows the new authority as the old one has signed it, too.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from ..config.durations import microseconds
from ..errors import DataError, JournalError, UsageError
from .certificate_faults import authority_faults, leaf_faults, rotate_command
from .certificate_files import BundleFolder
from .channel.identity import Identity
from .issuing import (
    LEAF_DAYS,
    ROLES,
    Issued,
    Role,
    bridged,
    client_name,
    is_issued_by,
    is_key_of,
    issued,
    names_of,
    new_authority,
    pem_of,
    read_certificate,
    server_name,
)
from .private_files import make_private_folder, read_private, write_private

MTLS = Path("mtls")
"""The folder of bundles, under the folder of secrets."""


def load_identity(folder: Path, bundle: str, role: Role, *, now_us: int) -> Identity:
    """What one end of the channel shows and what it trusts.

    Args:
        folder: The folder of bundles, such as `secrets/mtls`.
        bundle: The bundle's name.
        role: Which end.
        now_us: The time.

    Raises:
        DataError: There is no such bundle, or a file that this end needs is not there.
        JournalError: A file is not private, or is not what it should be, with the command that mends it.
    """
    files = BundleFolder(folder, bundle)
    authority = files.found(files.authority_path)
    leaf, key = files.found(files.certificate_path(role)), files.key(files.key_path(role))
    trusted = [authority.certificate, *files.previous()]
    for fault in authority_faults(authority, now_us):
        raise JournalError(fault)
    for fault in leaf_faults(leaf, role, files.key_path(role), key, trusted, now_us):
        raise JournalError(fault)
    (name,) = names_of(leaf.certificate)
    shown = Issued(certificate=leaf.certificate, key=key)
    return Identity(
        authority=b"".join(map(pem_of, trusted)),
        certificate=b"".join(map(pem_of, [leaf.certificate, *files.bridge()])),
        key=shown.key_pem,
        name=str(name.value),
    )


def init_bundle(files: BundleFolder, *, host: str, client: str, days: int = LEAF_DAYS, now_us: int) -> None:
    """Make an authority, a server and a client: all of it, or nothing.

    Args:
        files: Where it is to be.
        host: What clients connect to: a host name or an IP address.
        client: The client's name.
        days: How long server and client are valid.
        now_us: The time.

    Raises:
        UsageError: There is a bundle already, or a name cannot be one.
        JournalError: A folder above it is not private.
    """
    if files.path.exists() or files.path.is_symlink():
        again = rotate_command(files.bundle)
        raise UsageError(f"{files.path}: is there already and is kept. `{again}` makes new certificates.")
    names = {"server": server_name(host), "client": client_name(client)}
    authority = new_authority(files.bundle, now_us)
    made = BundleFolder(files.path.parent, f"_{files.bundle[:30]}_being_made")
    make_private_folder(made.path)
    _keep(made.authority_path, made.authority_key_path, authority)
    for role in ROLES:
        _keep(made.certificate_path(role), made.key_path(role), issued(role, names[role], authority, now_us, days))
    made.path.rename(files.path)


def rotate_bundle(
    files: BundleFolder,
    *,
    host: str | None = None,
    client: str | None = None,
    days: int = LEAF_DAYS,
    with_authority: bool = False,
    authority_key: Path | None = None,
    now_us: int,
) -> None:
    """Make server and client anew, under the same authority or under a new one; the old ones stay valid meanwhile.

    Args:
        files: The bundle.
        host: What clients connect to; None: as it was.
        client: The client's name; None: as it was.
        days: How long server and client are valid.
        with_authority: Whether a new authority is made; the present one is trusted beside it until `finish_overlap`.
        authority_key: The file of the authority's key, where it was taken off the machine.
        now_us: The time.

    Raises:
        DataError: There is no bundle, or no key of the authority.
        UsageError: There was a new authority already, and the one before it is still trusted.
        JournalError: A file is not private, or is not what it should be.
    """
    names = {
        "server": _kept_name(files, "server", "--host") if host is None else server_name(host),
        "client": _kept_name(files, "client", "--client") if client is None else client_name(client),
    }
    authority = _authority(files, authority_key or files.authority_key_path, with_authority=with_authority)
    if with_authority:
        authority = _follow(files, authority, now_us)
    for fault in authority_faults(files.found(files.authority_path), now_us):
        raise JournalError(fault)
    for role in ROLES:
        _keep(files.certificate_path(role), files.key_path(role), issued(role, names[role], authority, now_us, days))


def finish_overlap(files: BundleFolder) -> None:
    """End the overlap: the previous authority is not trusted any more.

    Raises:
        DataError: There is no bundle.
        UsageError: No overlap is on, or a certificate here is still the previous authority's.
    """
    authority = files.found(files.authority_path).certificate
    if not files.is_overlapping:
        raise UsageError(f"{files.path}: only one authority is trusted; there is nothing to be ended.")
    for role in ROLES:
        path = files.certificate_path(role)
        if path.exists() and not is_issued_by(files.found(path).certificate, authority):
            raise UsageError(
                f"{path}: is not of the new authority and would not be let in. `{rotate_command(files.bundle)}` "
                "makes one that is; then end the overlap."
            )
    files.bridge_path.unlink(missing_ok=True)
    files.previous_path.unlink(missing_ok=True)


def _authority(files: BundleFolder, key_path: Path, *, with_authority: bool) -> Issued:
    """The present authority with its key; where a change to a new one was interrupted, the one before it."""
    present = files.found(files.authority_path).certificate
    if not key_path.exists():
        raise DataError(
            f"{key_path}: no such file, and nothing is signed without the authority's key. "
            "--authority-key FILE names it where it is kept."
        )
    key = files.key(key_path)
    if is_key_of(key, present):
        if with_authority and files.is_overlapping:
            raise UsageError(
                f"{files.previous_path}: the authority before this one is still trusted. "
                f"`{rotate_command(files.bundle)} --finish` ends that; then make a new one."
            )
        return Issued(certificate=present, key=key)
    for previous in files.previous():
        if is_key_of(key, previous) and with_authority:
            return Issued(certificate=previous, key=key)
        if is_key_of(key, previous):
            again = f"{rotate_command(files.bundle)} --authority"
            raise JournalError(f"{key_path}: is the previous authority's key. `{again}` makes a new authority.")
    raise JournalError(
        f"{key_path}: is not the key of {files.authority_path}. --authority-key FILE names the right one where it "
        "is kept."
    )


def _follow(files: BundleFolder, old: Issued, now_us: int) -> Issued:
    """Put a new authority in the place of an old one.

    In this order an interruption leaves what is still trusted by everybody, and the old key until the new one is
    there, so that it can be done again.
    """
    new = new_authority(files.bundle, now_us)
    write_private(files.previous_path, old.certificate_pem, replace=True)
    write_private(files.authority_path, new.certificate_pem, replace=True)
    if now_us < microseconds(old.certificate.not_valid_after_utc):
        write_private(files.bridge_path, pem_of(bridged(new, old, now_us)), replace=True)
    write_private(files.authority_key_path, new.key_pem, replace=True)
    return new


def _kept_name(files: BundleFolder, role: Role, option: str) -> x509.GeneralName:
    files.require()
    path = files.certificate_path(role)
    certificate = read_certificate(read_private(path)) if path.exists() else None
    names = [] if certificate is None else names_of(certificate)
    if len(names) != 1:
        raise UsageError(f"{path}: does not tell the one name of the {role}; say it by {option}.")
    return names[0]


def _keep(path: Path, key_path: Path, one: Issued) -> None:
    write_private(key_path, one.key_pem, replace=True)
    write_private(path, one.certificate_pem, replace=True)

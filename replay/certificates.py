"""A bundle of certificates for mTLS as files: an authority of one's own, a server and a client that it has signed.

docs/security.md tells what lies where, and how an authority is followed by the next one without anybody being locked
out: while both are trusted, each end shows the new authority as the old one has signed it, too.
"""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from ..config.durations import microseconds
from ..errors import DataError, JournalError, UsageError
from .certificate_faults import Found, authority_faults, leaf_faults, rotate_command
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
    read_key,
    server_name,
)
from .private_files import make_private_folder, read_private, write_private

MTLS = Path("mtls")
"""The folder of bundles, under the folder of secrets."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")


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


class BundleFolder:
    """Where a bundle's certificates and keys are.

    Args:
        folder: The folder of bundles, such as `secrets/mtls`.
        bundle: The bundle's name.

    Raises:
        UsageError: It cannot be a bundle's name.
    """

    def __init__(self, folder: Path, bundle: str) -> None:
        if _NAME.fullmatch(bundle) is None:
            raise UsageError(f"bundle {bundle!r}: allowed are up to 40 letters, digits, _ and -.")
        self.bundle, self.path = bundle, folder / bundle
        self.authority_path, self.authority_key_path = self.path / "ca.pem", self.path / "ca.key"
        self.previous_path, self.bridge_path = self.path / "previous-ca.pem", self.path / "bridge.pem"

    def __repr__(self) -> str:
        return f"BundleFolder({str(self.path)!r})"

    def certificate_path(self, role: Role) -> Path:
        """The file of an end's certificate."""
        return self.path / f"{role}.pem"

    def key_path(self, role: Role) -> Path:
        """The file of an end's key."""
        return self.path / f"{role}.key"

    def found(self, path: Path) -> Found:
        """The certificate in one of the files.

        Raises:
            DataError: There is no bundle, or no such file.
            JournalError: It is not private, or no certificate stands in it.
        """
        self.require()
        certificate = read_certificate(read_private(path))
        if certificate is None:
            raise JournalError(f"{path}: not one certificate in PEM stands in it. {self._mended_by(path)}")
        return Found(path=path, certificate=certificate, bundle=self.bundle)

    def key(self, path: Path) -> EllipticCurvePrivateKey:
        """The key in a file.

        Raises:
            DataError: There is no such file.
            JournalError: It is not private, or no key stands in it.
        """
        key = read_key(read_private(path))
        if key is None:
            raise JournalError(f"{path}: no key of an elliptic curve in PEM stands in it. {self._mended_by(path)}")
        return key

    def require(self) -> None:
        """Raise DataError where there is no bundle."""
        if not self.path.exists() and not self.path.is_symlink():
            raise DataError(
                f"{self.path}: no such bundle. `barstep keys init --mtls-bundle {self.bundle}` makes it; a bundle "
                "that was made on another machine is copied from there."
            )

    def previous(self) -> list[x509.Certificate]:
        """The authority that is trusted beside the present one; none where no overlap is on."""
        return [self.found(self.previous_path).certificate] if self.previous_path.exists() else []

    def bridge(self) -> list[x509.Certificate]:
        """The present authority as the previous one has signed it; none where no overlap is on."""
        return [self.found(self.bridge_path).certificate] if self.bridge_path.exists() else []

    @property
    def is_overlapping(self) -> bool:
        """Whether two authorities are trusted."""
        return self.previous_path.exists() or self.bridge_path.exists()

    def init(self, *, host: str, client: str, days: int = LEAF_DAYS, now_us: int) -> None:
        """Make an authority, a server and a client: all of it, or nothing.

        Args:
            host: What clients connect to: a host name or an IP address.
            client: The client's name.
            days: How long server and client are valid.
            now_us: The time.

        Raises:
            UsageError: There is a bundle already, or a name cannot be one.
            JournalError: A folder above it is not private.
        """
        if self.path.exists() or self.path.is_symlink():
            again = rotate_command(self.bundle)
            raise UsageError(f"{self.path}: is there already and is kept. `{again}` makes new certificates.")
        names = {"server": server_name(host), "client": client_name(client)}
        authority = new_authority(self.bundle, now_us)
        made = BundleFolder(self.path.parent, f"_{self.bundle[:30]}_being_made")
        make_private_folder(made.path)
        made._keep(made.authority_path, made.authority_key_path, authority)
        for role in ROLES:
            made._keep(
                made.certificate_path(role), made.key_path(role), issued(role, names[role], authority, now_us, days)
            )
        made.path.rename(self.path)

    def rotate(
        self,
        *,
        host: str | None = None,
        client: str | None = None,
        days: int = LEAF_DAYS,
        new_ca: bool = False,
        authority_key: Path | None = None,
        now_us: int,
    ) -> None:
        """Make server and client anew, under the same authority or under a new one; the old ones stay valid meanwhile.

        Args:
            host: What clients connect to; None: as it was.
            client: The client's name; None: as it was.
            days: How long server and client are valid.
            new_ca: Whether a new authority is made; the present one is trusted beside it until `finish`.
            authority_key: The file of the authority's key, where it was taken off the machine.
            now_us: The time.

        Raises:
            DataError: There is no bundle, or no key of the authority.
            UsageError: There was a new authority already, and the one before it is still trusted.
            JournalError: A file is not private, or is not what it should be.
        """
        names = {
            "server": self._kept_name("server", "--host") if host is None else server_name(host),
            "client": self._kept_name("client", "--client") if client is None else client_name(client),
        }
        authority = self._authority(self.authority_key_path if authority_key is None else authority_key, new_ca=new_ca)
        if new_ca:
            authority = self._follow(authority, now_us)
        for fault in authority_faults(
            Found(path=self.authority_path, certificate=authority.certificate, bundle=self.bundle), now_us
        ):
            raise JournalError(fault)
        for role in ROLES:
            self._keep(
                self.certificate_path(role), self.key_path(role), issued(role, names[role], authority, now_us, days)
            )

    def finish(self) -> None:
        """End the overlap: the previous authority is not trusted any more.

        Raises:
            DataError: There is no bundle.
            UsageError: No overlap is on, or a certificate here is still the previous authority's.
        """
        authority = self.found(self.authority_path).certificate
        if not self.is_overlapping:
            raise UsageError(f"{self.path}: only one authority is trusted; there is nothing to be ended.")
        for role in ROLES:
            path = self.certificate_path(role)
            if path.exists() and not is_issued_by(self.found(path).certificate, authority):
                raise UsageError(
                    f"{path}: is not of the new authority and would not be let in. `{rotate_command(self.bundle)}` "
                    "makes one that is; then end the overlap."
                )
        self.bridge_path.unlink(missing_ok=True)
        self.previous_path.unlink(missing_ok=True)

    def _authority(self, key_path: Path, *, new_ca: bool) -> Issued:
        """The present authority with its key; where a change to a new one was interrupted, the one before it."""
        present = self.found(self.authority_path).certificate
        if not key_path.exists():
            raise DataError(
                f"{key_path}: no such file, and nothing is signed without the authority's key. "
                "--authority-key FILE names it where it is kept."
            )
        key = self.key(key_path)
        if is_key_of(key, present):
            if new_ca and self.is_overlapping:
                raise UsageError(
                    f"{self.previous_path}: the authority before this one is still trusted. "
                    f"`{rotate_command(self.bundle)} --finish` ends that; then make a new one."
                )
            return Issued(certificate=present, key=key)
        for previous in self.previous():
            if is_key_of(key, previous) and new_ca:
                return Issued(certificate=previous, key=key)
            if is_key_of(key, previous):
                again = f"{rotate_command(self.bundle)} --authority"
                raise JournalError(f"{key_path}: is the previous authority's key. `{again}` makes a new authority.")
        raise JournalError(
            f"{key_path}: is not the key of {self.authority_path}. --authority-key FILE names the right one where it "
            "is kept."
        )

    def _follow(self, old: Issued, now_us: int) -> Issued:
        """Put a new authority in the place of an old one.

        In this order an interruption leaves what is still trusted by everybody, and the old key until the new one is
        there, so that it can be done again.
        """
        new = new_authority(self.bundle, now_us)
        write_private(self.previous_path, old.certificate_pem, replace=True)
        write_private(self.authority_path, new.certificate_pem, replace=True)
        if now_us < microseconds(old.certificate.not_valid_after_utc):
            write_private(self.bridge_path, pem_of(bridged(new, old, now_us)), replace=True)
        write_private(self.authority_key_path, new.key_pem, replace=True)
        return new

    def _kept_name(self, role: Role, option: str) -> x509.GeneralName:
        self.require()
        path = self.certificate_path(role)
        certificate = read_certificate(read_private(path)) if path.exists() else None
        names = [] if certificate is None else names_of(certificate)
        if len(names) != 1:
            raise UsageError(f"{path}: does not tell the one name of the {role}; say it by {option}.")
        return names[0]

    def _keep(self, path: Path, key_path: Path, one: Issued) -> None:
        write_private(key_path, one.key_pem, replace=True)
        write_private(path, one.certificate_pem, replace=True)

    def _mended_by(self, path: Path) -> str:
        if path in (self.authority_path, self.previous_path, self.bridge_path, self.authority_key_path):
            return "Put back what was there."
        return f"`{rotate_command(self.bundle)}` makes it anew."

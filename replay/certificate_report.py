"""What is in a bundle of certificates, how long it lasts, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from ..config.durations import microseconds
from ..errors import DataError, JournalError
from .certificate_faults import Found, authority_faults, leaf_faults, rotate_command
from .certificate_files import BundleFolder
from .issuing import ROLES, Role, is_issued_by, is_key_of, names_of

_DAY_US = 86_400_000_000


@dataclass(frozen=True, kw_only=True)
class CertificateReport:
    """One certificate of a bundle.

    Attributes:
        role: `authority`, `previous`, `server` or `client`.
        path: Its file.
        mode: The file's mode, in four octal digits; empty where it is not there.
        key_path: The file of its key; None where it is not on this machine.
        key_mode: That file's mode.
        name: Its SAN; of an authority its own name. Empty where it could not be read.
        issuer: Who has signed it, which for an authority is itself.
        serial: Its number, in hexadecimal digits.
        begins_us: From when on it is valid.
        ends_us: From when on it is not valid any more.
        days_left: Until then; below 0 once it has expired. None where it could not be read.
        key_matches: Whether the key is its own; None where there is no key, or either could not be read.
        chain_holds: Whether an authority of the bundle has signed it; None where it could not be read.
    """

    role: str
    path: str
    mode: str
    key_path: str | None = None
    key_mode: str | None = None
    name: str = ""
    issuer: str = ""
    serial: str = ""
    begins_us: int | None = None
    ends_us: int | None = None
    days_left: float | None = None
    key_matches: bool | None = None
    chain_holds: bool | None = None


@dataclass(frozen=True, kw_only=True)
class BundleReport:
    """A bundle of certificates.

    Attributes:
        bundle: Its name.
        folder: Where it is.
        certificates: The authority, the one before it while that is trusted, and those of server and client that are
            on this machine.
        authority_key_is_here: Whether the authority's key has not been taken off the machine.
        is_overlapping: Whether two authorities are trusted.
        faults: Everything that is wrong, each with what mends it.
    """

    bundle: str
    folder: str
    certificates: tuple[CertificateReport, ...]
    authority_key_is_here: bool
    is_overlapping: bool
    faults: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return {"status": "ok" if self.is_good else "fail", **asdict(self)}


def describe_bundle(folder: Path, bundle: str, *, now_us: int) -> BundleReport:
    """Look at everything that a bundle has on this machine. No key is in what is told.

    Args:
        folder: The folder of bundles, such as `secrets/mtls`.
        bundle: The bundle's name.
        now_us: The time.

    Raises:
        DataError: There is no such bundle.
    """
    files = BundleFolder(folder, bundle)
    files.require()
    return _Look(files, now_us).report()


class _Look:
    """One look at a bundle, which gathers what is wrong."""

    def __init__(self, files: BundleFolder, now_us: int) -> None:
        self._files, self._now_us = files, now_us
        self._faults: list[str] = []
        self._trusted: list[x509.Certificate] = []

    def report(self) -> BundleReport:
        files = self._files
        told = [self._authority("authority", files.authority_path, files.authority_key_path)]
        if files.previous_path.exists():
            told.append(self._authority("previous", files.previous_path, None))
        here = [role for role in ROLES if files.certificate_path(role).exists() or files.key_path(role).exists()]
        if not here:
            self._faults.append(f"{files.path}: neither a server's nor a client's certificate is here.")
        told += [self._leaf(role) for role in here]
        return BundleReport(
            bundle=files.bundle,
            folder=str(files.path),
            certificates=tuple(told),
            authority_key_is_here=files.authority_key_path.exists(),
            is_overlapping=files.is_overlapping,
            faults=tuple(dict.fromkeys(self._faults)),
        )

    def _authority(self, role: str, path: Path, key_path: Path | None) -> CertificateReport:
        found = self._found(path)
        key_path = key_path if key_path is not None and key_path.exists() else None
        key = None if key_path is None else self._key(key_path)
        if found is None:
            return _told(role, path, key_path)
        self._trusted.append(found.certificate)
        self._faults += authority_faults(found, self._now_us) if role == "authority" else self._previous_faults(found)
        matches = None if key is None else is_key_of(key, found.certificate)
        if matches is False:
            again = f"{rotate_command(self._files.bundle)} --authority"
            self._faults.append(f"{key_path}: is not the key of {path}. Put that one there, or do `{again}` again.")
        return _told(role, path, key_path, _Certified(found.certificate, matches, True), self._now_us)

    def _leaf(self, role: Role) -> CertificateReport:
        path, key_path = self._files.certificate_path(role), self._files.key_path(role)
        found, key = self._found(path), self._key(key_path)
        if found is None:
            return _told(role, path, key_path)
        matches = None if key is None else is_key_of(key, found.certificate)
        chain = any(is_issued_by(found.certificate, authority) for authority in self._trusted)
        if key is not None:
            self._faults += leaf_faults(found, role, key_path, key, self._trusted, self._now_us)
        return _told(role, path, key_path, _Certified(found.certificate, matches, chain), self._now_us)

    def _previous_faults(self, found: Found) -> Iterator[str]:
        if any(authority_faults(found, self._now_us)):
            finish = f"{rotate_command(self._files.bundle)} --finish"
            yield f"{found.path}: the previous authority has expired, and the overlap with it. `{finish}` ends it."

    def _found(self, path: Path) -> Found | None:
        try:
            return self._files.found(path)
        except (DataError, JournalError) as error:
            self._faults.append(str(error))
            return None

    def _key(self, path: Path) -> EllipticCurvePrivateKey | None:
        try:
            return self._files.key(path)
        except (DataError, JournalError) as error:
            self._faults.append(str(error))
            return None


class _Certified(NamedTuple):
    """A certificate that could be read, whether the key is its own, and whether an authority here has signed it."""

    certificate: x509.Certificate
    key_matches: bool | None
    chain_holds: bool


def _told(
    role: str, path: Path, key_path: Path | None, read: _Certified | None = None, now_us: int = 0
) -> CertificateReport:
    """What is known of a certificate; where it could not be read, its files."""
    report = CertificateReport(
        role=role,
        path=str(path),
        mode=_mode(path),
        key_path=None if key_path is None else str(key_path),
        key_mode=None if key_path is None else _mode(key_path),
    )
    if read is None:
        return report
    certificate, ends_us = read.certificate, microseconds(read.certificate.not_valid_after_utc)
    names = [str(name.value) for name in names_of(certificate)] or [certificate.subject.rfc4514_string()]
    return replace(
        report,
        name=", ".join(names),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        begins_us=microseconds(certificate.not_valid_before_utc),
        ends_us=ends_us,
        days_left=(ends_us - now_us) / _DAY_US,
        key_matches=read.key_matches,
        chain_holds=read.chain_holds,
    )


def _mode(path: Path) -> str:
    try:
        return f"{path.lstat().st_mode & 0o7777:04o}"
    except OSError:
        return ""

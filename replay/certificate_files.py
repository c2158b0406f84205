"""Where a bundle of certificates lies, and what is read from its files.

docs/security.md tells what each of them is.
"""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from ..errors import DataError, JournalError, UsageError
from .certificate_faults import Found, rotate_command
from .issuing import Role, read_certificate, read_key
from .private_files import read_private

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")


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

    def _mended_by(self, path: Path) -> str:
        if path in (self.authority_path, self.previous_path, self.bridge_path, self.authority_key_path):
            return "Put back what was there."
        return f"`{rotate_command(self.bundle)}` makes it anew."

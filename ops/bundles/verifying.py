"""Whether a bundle may be believed: its signature first, then its archive's bytes, then what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError, UsageError
from .faults import BundleError, Verdict
from .keys import CheckingKey
from .making import BundleFiles
from .manifest import Manifest, Signature, check_file, checked_manifest, read_signature
from .members import MOST_BYTES, read_members

_MANIFEST, _SIGNATURE = "manifest.json", "manifest.sig"
_ARCHIVES = (".zip", ".tar.gz")
_MOST_MANIFEST_BYTES = 4 << 20


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A bundle that may be believed.

    Attributes:
        files: Where it is.
        manifest: What it says.
        signature: Who says so.
        members: What is in it, by path, in memory.
    """

    files: BundleFiles
    manifest: Manifest
    signature: Signature
    members: dict[str, bytes]


def bundle_beside(path: Path, *, manifest: Path | None = None, signature: Path | None = None) -> BundleFiles:
    """The three files of a bundle of which one is named, an archive or a manifest.

    Args:
        path: The file that is named.
        manifest: The manifest, where it is not beside the archive.
        signature: The signature, where it is not beside the manifest.

    Raises:
        DataError: The file is not there.
        UsageError: It is neither.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    ending = next((each for each in _ARCHIVES if path.name.endswith(each)), None)
    if ending is not None:
        stem = path.name.removesuffix(ending)
        if manifest is None:
            own = path.with_name(f"{stem}.{_MANIFEST}")
            manifest = own if own.exists() else path.with_name(_MANIFEST)
        return BundleFiles(archive=path, manifest=manifest, signature=signature or _beside(manifest))
    if not path.name.endswith(_MANIFEST):
        raise UsageError(f"{path}: is no bundle; name its archive (.zip, .tar.gz) or its manifest ({_MANIFEST}).")
    if path.name != _MANIFEST:
        archives = [path.with_name(path.name.removesuffix(f".{_MANIFEST}") + each) for each in _ARCHIVES]
    else:
        archives = [each for ending in _ARCHIVES for each in sorted(path.parent.glob(f"*{ending}"))]
        archives = [each for each in archives if not _own_manifest(each).exists()]
    found = [each for each in archives if each.exists()]
    if len(found) > 1:
        raise UsageError(f"{path}: several archives are beside it; name the one that is meant.")
    return BundleFiles(
        archive=found[0] if found else archives[0] if archives else path.with_name("*.tar.gz"),
        manifest=path,
        signature=signature or _beside(path),
    )


def signature_of(files: BundleFiles) -> Signature:
    """What the signature's file says, which nobody has checked yet.

    Raises:
        BundleError: There is none.
    """
    if not files.signature.is_file():
        raise _missing(files.signature)
    return read_signature(_read(files.signature, _MOST_MANIFEST_BYTES), str(files.signature))


def verify_bundle(files: BundleFiles, key: CheckingKey, *, key_id: str | None = None) -> Verified:
    """Verify a bundle.

    Nothing of a manifest is read before its signature is good, and nothing of an archive before its bytes are.

    Args:
        files: Where it is.
        key: The key at hand.
        key_id: What the key has to be called; None: whatever it is.

    Raises:
        BundleError: It may not be believed, and why.
    """
    for path in (files.archive, files.manifest, files.signature):
        if not path.is_file():
            raise _missing(path)
    written = _read(files.manifest, _MOST_MANIFEST_BYTES)
    signature = signature_of(files)
    manifest = checked_manifest(written, signature, key, key_id=key_id, where=str(files.manifest))
    if manifest.archive.path != files.archive.name:
        text = f"is not the archive of {files.manifest}, which is {manifest.archive.path!r}."
        raise BundleError(Verdict.EDITED_ARCHIVE, str(files.archive), text)
    data = _read(files.archive, MOST_BYTES)
    check_file(data, manifest.archive, Verdict.EDITED_ARCHIVE, str(files.archive))
    members = read_members(files.archive.name, data, manifest.members)
    return Verified(files=files, manifest=manifest, signature=signature, members=members)


def _missing(path: Path) -> BundleError:
    return BundleError(
        Verdict.MISSING_FILES, str(path), "is not there; a bundle is believed as a whole, or not at all."
    )


def _own_manifest(archive: Path) -> Path:
    ending = next(each for each in _ARCHIVES if archive.name.endswith(each))
    return archive.with_name(f"{archive.name.removesuffix(ending)}.{_MANIFEST}")


def _beside(manifest: Path) -> Path:
    return manifest.with_name(manifest.name.removesuffix(_MANIFEST) + _SIGNATURE)


def _read(path: Path, most: int) -> bytes:
    """All bytes of a file, read once."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise BundleError(Verdict.TOO_BIG, str(path), f"has more than {most:,} bytes.")
    return data

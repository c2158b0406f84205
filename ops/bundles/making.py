"""A bundle as three files: an archive, its manifest and the manifest's signature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...data.whole_file import whole_file
from ...errors import UsageError
from .archives import tar_gz_of, zip_of
from .keys import SigningKey
from .manifest import Kind, described, signed, written_manifest
from .members import MOST_BYTES, MOST_MEMBERS, fits
from .names import check_names

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class BundleFiles:
    """Where a bundle's three files are."""

    archive: Path
    manifest: Path
    signature: Path


def files_of(kind: Kind, version: str, folder: Path) -> BundleFiles:
    """The names that a bundle's files have when they are made.

    Raises:
        UsageError: The version cannot be one.
    """
    if _VERSION.fullmatch(version) is None:
        raise UsageError(f"--version {version!r}: allowed are up to 64 letters, digits, '.', '_' and '-'.")
    if kind == "observability":
        archive = f"observability-bundle-{version}.tar.gz"
        return BundleFiles(
            archive=folder / archive, manifest=folder / "manifest.json", signature=folder / "manifest.sig"
        )
    stem = f"{kind}-{version}"
    return BundleFiles(
        archive=folder / f"{stem}.zip",
        manifest=folder / f"{stem}.manifest.json",
        signature=folder / f"{stem}.manifest.sig",
    )


def make_bundle(
    kind: Kind,
    version: str,
    members: Mapping[str, bytes],
    *,
    key: SigningKey,
    key_id: str,
    provenance: Mapping[str, str],
    folder: Path,
    overwrite: bool = False,
) -> BundleFiles:
    """Write a bundle. The same members, version, key and provenance give the same bytes.

    Args:
        kind: Which one.
        version: Its version.
        members: Bytes by path.
        key: Signs the manifest.
        key_id: What the key is called.
        provenance: What made it.
        folder: Where its files go; it is made.
        overwrite: Whether files that are there and say something else are replaced.

    Raises:
        UsageError: A name is not allowed, there is too much, or something else is there already.
        BundleError: A member's name is not allowed.
    """
    if _KEY_ID.fullmatch(key_id) is None:
        raise UsageError(f"--key-id {key_id!r}: allowed are up to 64 letters, digits, '.', '_' and '-'.")
    files = files_of(kind, version, folder)
    check_names(members)
    if not fits(members):
        raise UsageError(
            f"{files.archive}: {len(members):,} members of {sum(map(len, members.values())):,} bytes; a bundle holds "
            f"at most {MOST_MEMBERS:,} of {MOST_BYTES:,} bytes together."
        )
    data = (tar_gz_of if files.archive.name.endswith(".tar.gz") else zip_of)(members)
    manifest = written_manifest(
        kind=kind,
        version=version,
        key_id=key_id,
        archive=described(files.archive.name, data),
        members=members,
        provenance=provenance,
    )
    contents = {files.archive: data, files.manifest: manifest, files.signature: signed(manifest, key, key_id)}
    for path, content in contents.items():
        if not overwrite and path.exists() and path.read_bytes() != content:
            raise UsageError(
                f"{path}: is there already and says something else. Choose another --version or --output-dir, or "
                "replace it with --overwrite."
            )
    for path, content in contents.items():
        with whole_file(path) as temporary:
            temporary.write_bytes(content)
    return files

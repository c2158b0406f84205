"""The secrets that an environment cannot start without, and who has to make them.

A demonstration makes its own; paper and live trade on what their operator has made, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..config.environments import Environment
from ..config.tokens import Token
from ..errors import JournalError
from .authorization import new_token, token_path, write_token
from .certificate_files import BundleFolder
from .certificates import MTLS, init_bundle, load_identity
from .channel.identity import Identity
from .issuing import Role
from .key_files import KeyFolder

KEYS, TOKENS = Path("journal"), Path("tokens")
"""Folders of journal keys and of tokens, under the folder of secrets."""


def demo_secrets(folder: Path, environment: str, tokens: Sequence[Token], environ: Mapping[str, str]) -> list[Path]:
    """Make what a demonstration lacks: its journal's keys, and a token file for each entry whose variable is not set.

    Args:
        folder: The folder of secrets, such as `secrets`.
        environment: Its name.
        tokens: The `rbac_tokens` of its scheduler.
        environ: The environment variables.

    Returns:
        The files that were made.

    Raises:
        JournalError: What is there is not private.
    """
    made = []
    keys = KeyFolder(folder / KEYS / environment)
    if not keys.epoch_path.exists():
        keys.init()
        made += [keys.root_path, keys.epoch_path]
    for token in tokens:
        path = token_path(folder / TOKENS, token.id)
        if token.env is not None and not environ.get(token.env, "").strip() and not path.exists():
            write_token(path, new_token())
            made.append(path)
    return made


def require_secrets(
    folder: Path, name: str, environment: Environment, tokens: Sequence[Token], environ: Mapping[str, str]
) -> list[Path]:
    """Have an environment's secrets there: a demonstration's are made, those of paper and live have to be there.

    Returns:
        The files that were made.

    Raises:
        JournalError: Something is missing, with the command that makes it, or is not private.
    """
    if environment.type == "demo":
        return demo_secrets(folder, name, tokens, environ)
    keys = KeyFolder(folder / KEYS / name)
    if not keys.epoch_path.exists():
        raise JournalError(
            f"{keys.epoch_path}: environment {name!r} is of type {environment.type} and does not start without its "
            f"own keys. `barstep keys init --environment {name}` makes them."
        )
    keys.current()
    if not any(token.sha384 or environ.get(token.env or "", "").strip() for token in tokens):
        raise JournalError(
            f"environment {name!r} is of type {environment.type} and does not start without a token of its own. "
            "`barstep keys token --id NAME` makes one and the line for rbac_tokens."
        )
    return []


def require_identity(folder: Path, environment: Environment, role: Role, *, now_us: int) -> Identity | None:
    """What one end of an environment's channel shows; a demonstration's certificates are made where there are none.

    Args:
        folder: The folder of secrets, such as `secrets`.
        environment: Whose `mtls_bundle` it is.
        role: Which end.
        now_us: The time.

    Returns:
        The identity; None where the environment names no bundle.

    Raises:
        DataError: A certificate is missing, with the command that makes it.
        JournalError: One is not private, has expired or is not what it should be, with the command that mends it.
    """
    bundle = environment.mtls_bundle
    if bundle is None:
        return None
    files = BundleFolder(folder / MTLS, bundle)
    if environment.type == "demo" and not files.path.exists():
        init_bundle(files, host="localhost", client=bundle, now_us=now_us)
    return load_identity(folder / MTLS, bundle, role, now_us=now_us)

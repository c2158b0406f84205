"""Where a result comes from: enough to tell whether it can come out the same again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels._jit import sources_digest
from ..kernels.fingerprint import FINGERPRINT_VALUES, fill_fingerprint

if TYPE_CHECKING:
    from .bars import Bars


@cache
def arithmetic_fingerprint() -> str:
    """Digest of log, exp and sqrt of fixed values, as compiled code gives them on this machine."""
    values = np.zeros(FINGERPRINT_VALUES)
    fill_fingerprint(values)
    return hashlib.sha384(values.astype("<f8").tobytes()).hexdigest()[:32]


def software() -> dict[str, str]:
    """Versions and digests of what computed a result."""
    return {
        "barstep": metadata.version("barstep"),
        "numba": metadata.version("numba"),
        "numpy": metadata.version("numpy"),
        "kernels": sources_digest(),
        "arithmetic": arithmetic_fingerprint(),
    }


def provenance(bars: Iterable[Bars], config_sha384: str = "") -> dict[str, Any]:
    """What computed a result and what from: `software`, and the SHA-384 of each history and of the configuration."""
    data = [each.content_digest for each in bars]
    return {**software(), "data_sha384": data, **({"config_sha384": config_sha384} if config_sha384 else {})}

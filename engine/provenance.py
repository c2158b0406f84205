"""Where a result comes from: enough to tell whether it can come out the same again."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata

import numpy as np

from ..kernels._jit import sources_digest
from ..kernels.fingerprint import FINGERPRINT_VALUES, fill_fingerprint


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

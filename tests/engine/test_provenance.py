"""Where a result comes from: the versions and digests of what computed it."""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
import sys
from importlib import metadata

import barstep
import numpy as np
from barstep.engine.provenance import arithmetic_fingerprint, software
from barstep.kernels._jit import sources_digest
from barstep.kernels.fingerprint import FINGERPRINT_VALUES, fill_fingerprint


def test_software_names_what_computed() -> None:
    """Versions are those that are installed, and the kernels are named by the digest of their sources."""
    found = software()
    assert found["barstep"] == metadata.version("barstep") == barstep.__version__
    assert found["numba"] == metadata.version("numba")
    assert found["numpy"] == metadata.version("numpy") == np.__version__
    assert found["kernels"] == sources_digest()
    assert found["arithmetic"] == arithmetic_fingerprint()


def test_the_fingerprint_digests_logarithms_exponentials_and_roots() -> None:
    """It is taken of log, exp and sqrt of fixed values, little endian."""
    values = np.zeros(FINGERPRINT_VALUES)
    fill_fingerprint(values)
    x = 0.37 * np.arange(1, FINGERPRINT_VALUES // 3 + 1)
    expected = [f(v) for v in x for f in (math.log, lambda v: math.exp(-v), math.sqrt)]
    np.testing.assert_allclose(values, expected, rtol=1e-14)
    assert arithmetic_fingerprint() == hashlib.sha384(values.astype("<f8").tobytes()).hexdigest()[:32]


def test_the_fingerprint_is_the_same_in_another_process() -> None:
    """On one machine every process has the same arithmetic."""
    code = "from barstep.engine.provenance import arithmetic_fingerprint; print(arithmetic_fingerprint())"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert re.fullmatch("[0-9a-f]{32}", printed)
    assert printed == arithmetic_fingerprint()

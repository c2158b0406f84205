"""What this machine's logarithm, exponential and square root give: they may differ by library and by processor."""

import math

from ._jit import kernel

FINGERPRINT_VALUES = 192


@kernel
def fill_fingerprint(out):
    """Fill out[0:FINGERPRINT_VALUES] with log, exp and sqrt of fixed values."""
    for k in range(FINGERPRINT_VALUES // 3):
        x = (k + 1) * 0.37
        out[3 * k] = math.log(x)
        out[3 * k + 1] = math.exp(-x)
        out[3 * k + 2] = math.sqrt(x)

"""Random numbers by their number: Philox4x32-10, which turns a counter and a key into 128 bits.

Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC '11. There is no state to hand on,
so draw 7 of path 12 is the same bits whoever asks for it, and no two draws of one seed share a counter.
"""

import numpy as np

from ._jit import kernel

_ROUNDS = 10
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_SPARE = np.uint64(11)
"""Bits of a word that a float64 has no room for."""
_UNIT = 2.0**-53


@kernel
def fill_uniforms(seed, stream, first, left, right):
    """Two numbers in [0, 1) for each of the draws first, first + 1, … of a stream, multiples of 2^-53.

    left, right: float64[n]. The counter is the draw and the stream, the key the seed, whole numbers under 2^63. The
    rounds stand in the loop: a function of them would return four words at once, which keeps it from going over
    several draws side by side (11 against 2 ns a draw).
    """
    own, key = np.uint64(stream), np.uint64(seed)
    own_low, own_high, key_low, key_high = own & _LOW, own >> _HALF, key & _LOW, key >> _HALF
    for k in range(left.shape[0]):
        number = np.uint64(first + k)
        c0 = number & _LOW
        c1 = number >> _HALF
        c2 = own_low
        c3 = own_high
        k0 = key_low
        k1 = key_high
        for _ in range(_ROUNDS):
            first_product = _MULTIPLIER_0 * c0
            second_product = _MULTIPLIER_1 * c2
            c0 = (second_product >> _HALF) ^ c1 ^ k0
            c1 = second_product & _LOW
            c2 = (first_product >> _HALF) ^ c3 ^ k1
            c3 = first_product & _LOW
            k0 = (k0 + _WEYL_0) & _LOW
            k1 = (k1 + _WEYL_1) & _LOW
        left[k] = np.int64(((c0 << _HALF) | c1) >> _SPARE) * _UNIT
        right[k] = np.int64(((c2 << _HALF) | c3) >> _SPARE) * _UNIT

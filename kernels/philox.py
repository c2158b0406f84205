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
def philox(c0, c1, c2, c3, k0, k1):
    """The four words of 32 bits that belong to a counter of four and a key of two, all uint64."""
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (second >> _HALF) ^ c1 ^ k0, second & _LOW, (first >> _HALF) ^ c3 ^ k1, first & _LOW
        k0, k1 = (k0 + _WEYL_0) & _LOW, (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@kernel
def two_uniforms(seed, stream, number):
    """The two numbers in [0, 1), multiples of 2^-53, of draw `number` of a stream; all whole and not negative."""
    counter, own, key = np.uint64(number), np.uint64(stream), np.uint64(seed)
    w0, w1, w2, w3 = philox(counter & _LOW, counter >> _HALF, own & _LOW, own >> _HALF, key & _LOW, key >> _HALF)
    first, second = np.int64(((w0 << _HALF) | w1) >> _SPARE), np.int64(((w2 << _HALF) | w3) >> _SPARE)
    return first * _UNIT, second * _UNIT


@kernel
def fill_uniforms(seed, stream, first, left, right):
    """`two_uniforms` of draws first, first + 1, …: the first numbers into left, the second ones into right."""
    own, key = np.uint64(stream), np.uint64(seed)
    c2, c3, k0, k1 = own & _LOW, own >> _HALF, key & _LOW, key >> _HALF
    for k in range(left.shape[0]):
        counter = np.uint64(first + k)
        w0, w1, w2, w3 = philox(counter & _LOW, counter >> _HALF, c2, c3, k0, k1)
        left[k] = np.int64(((w0 << _HALF) | w1) >> _SPARE) * _UNIT
        right[k] = np.int64(((w2 << _HALF) | w3) >> _SPARE) * _UNIT

"""Bootstrap paths the long way: random numbers by whole numbers, a list of places, then loops over all returns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

TWO_32 = 1 << 32


def philox_words(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox4x32-10 as its paper writes it: multiply, swap halves, add the key of the round."""
    (x0, x1, x2, x3), (k0, k1) = counter, key
    for round_ in range(10):
        if round_:
            k0, k1 = (k0 + 0x9E3779B9) % TWO_32, (k1 + 0xBB67AE85) % TWO_32
        high_0, low_0 = divmod(0xD2511F53 * x0, TWO_32)
        high_1, low_1 = divmod(0xCD9E8D57 * x2, TWO_32)
        x0, x1, x2, x3 = high_1 ^ x1 ^ k0, low_1, high_0 ^ x3 ^ k1, low_0
    return [x0, x1, x2, x3]


def uniforms(seed: int, stream: int, number: int) -> tuple[Fraction, Fraction]:
    """The two numbers of a draw, exactly."""
    words = philox_words(
        [number % TWO_32, number // TWO_32, stream % TWO_32, stream // TWO_32], [seed % TWO_32, seed // TWO_32]
    )
    left, right = words[0] * TWO_32 + words[1], words[2] * TWO_32 + words[3]
    return Fraction(left // 2**11, 2**53), Fraction(right // 2**11, 2**53)


def geometric(uniform: Fraction, mean: float) -> int:
    """1 + the number of steps that a block goes on, by going on while the chance of so many is above the uniform."""
    goes_on = 1.0 - 1.0 / mean
    length, chance = 1, goes_on
    while uniform < chance and chance > 2.0**-60:
        length += 1
        chance *= goes_on
    return length


def block_places(n: int, starts: int, length: float, seed: int, path: int, *, is_geometric: bool) -> list[int]:
    """The places of a path's returns."""

    def all_places() -> Iterator[int]:
        number = 0
        while True:
            where, how_long = uniforms(seed, path, number)
            first = math.floor(where * starts)
            for k in range(geometric(how_long, length) if is_geometric else int(length)):
                yield (first + k) % n
            number += 1

    places = all_places()
    return [next(places) for _ in range(n)]


def shuffled_places(n: int, seed: int, path: int) -> list[int]:
    """Places drawn without replacement: each draw takes one of those that are left, by swapping it to the front."""
    left = list(range(n))
    for k in range(n):
        other = k + math.floor(uniforms(seed, path, k)[0] * (n - k))
        left[k], left[other] = left[other], left[k]
    return left


@dataclass(frozen=True)
class Walked:
    """What a path came to, and its growth after each step."""

    curve: list[float]
    mean: float
    squares: float
    deepest: float
    longest: int


def walk(returns: Sequence[float]) -> Walked:
    """The path of these returns; one that has lost all stays where it is and returns 0 from then on."""
    curve, felt = [1.0], []
    for value in returns:
        is_over = not curve[-1] > 0.0
        felt.append(0.0 if is_over else value)
        curve.append(curve[-1] if is_over else curve[-1] * (1.0 + value))
        if math.isnan(curve[-1]):
            curve[-1] = 0.0
    mean = math.fsum(felt) / len(felt)
    peaks = [max(curve[: k + 1]) for k in range(len(curve))]
    under = [value < peak for value, peak in zip(curve, peaks, strict=True)]
    runs = "".join("u" if flag else " " for flag in under).split()
    return Walked(
        curve=curve[1:],
        mean=mean,
        squares=math.fsum((r - mean) ** 2 for r in felt),
        deepest=min(1.0 if v == p else v / p for v, p in zip(curve, peaks, strict=True)),
        longest=max(map(len, runs), default=0),
    )

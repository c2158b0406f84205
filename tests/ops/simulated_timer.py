"""A machine whose times are drawn from a seeded generator: each thing's own time, and what its neighbours add."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from barstep.ops.gate_case import Case, always

ARITHMETIC_NS, COPY_NS = 1.9, 0.8


def case(name: str, ns: float) -> Case:
    """A case that takes `ns` nanoseconds a bar; it is never run."""
    return Case(name=name, bars=round(1_000 * ns), prepare=lambda _: always(lambda: None))


class SimulatedTimer:
    """Times of a machine on which something else runs.

    Half of the time, in phases of up to 200 measurements, a neighbour slows each kind of work by its own share.
    One measurement in seven is interrupted for a time slice or finds its caches cold. The clock of the processor goes
    faster and slower by some percent, slowly. Each preparation lies elsewhere in memory, for better or worse by 2 %.
    """

    def __init__(self, seed: int, slower: Mapping[str, float] | None = None, *, speed: float = 1.0) -> None:
        """slower: by case, by how much more it does; speed: that of the machine, over the usual one."""
        self._rng, self._slower, self._speed = np.random.default_rng(seed), slower or {}, speed
        self._busy, self._left, self._drift = False, 0, 0.0
        self.prepared: list[str] = []

    def arithmetic(self) -> float:
        return self._take(ARITHMETIC_NS, 0.04)

    def copy(self) -> float:
        return self._take(COPY_NS, 0.8)

    def prepare(self, one: Case) -> Callable[[], float]:
        self.prepared.append(one.name)
        ns = one.bars / 1_000 * self._slower.get(one.name, 1.0) * (1.0 + self._rng.uniform(-0.02, 0.02))
        suffers = self._rng.uniform(0.0, 0.6)
        return lambda: self._take(ns, suffers)

    def _take(self, ns: float, suffers: float) -> float:
        rng = self._rng
        if self._left == 0:
            self._busy, self._left = not self._busy, int(rng.integers(20, 200))
        self._left -= 1
        self._drift = np.clip(self._drift + rng.normal(0.0, 2e-4), -0.03, 0.03)
        taken = ns / self._speed * (1.0 + self._drift) * (1.0 + rng.gamma(1.0, 0.01))
        if self._busy:
            taken *= 1.0 + suffers
        if rng.random() < 1 / 7:
            taken += ns * rng.exponential(3.0)
        return float(taken)

"""Which strategies a licence allows."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import AuthorizationError, nearest


class CapabilityGuard:
    """Refuses strategies whose capability is not granted."""

    def __init__(self, capabilities: Iterable[str]) -> None:
        self._granted = frozenset(capabilities)

    def require_strategy(self, name: str, capability: str) -> None:
        """Raise AuthorizationError where the capability of a strategy is not granted; "" needs no grant."""
        if capability and capability not in self._granted:
            granted = ", ".join(sorted(self._granted)) or "nothing"
            raise AuthorizationError(
                f"{name}: the licence does not grant {capability!r}.{nearest(capability, self._granted)} "
                f"Granted: {granted}."
            )

"""What the host's operating system remembers and allows: the part of a radio that is not radio."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class HostSystem:
    """Settings of the host's side; a test may change them at any time."""

    mtu: int | None = None
    """ATT_MTU that is asked for when connecting, 23 at least; ``None`` asks for the usual."""
    pairs: bool = True
    """Whether the system pairs when asked to; ``False`` as if the person had said no."""
    keeps_link_without_key: bool = True
    """Whether a link goes on, open, when it could not be encrypted with the bond; some systems disconnect."""
    stale: dict[str, int] = field(default_factory=dict)
    """Characteristics that are missing from what the system remembers, and for how many connections more.

    Unpairing forgets it all, as does a connection past the cache.
    """

    def hidden(self, *, past_cache: bool) -> frozenset[str]:
        """Tell which characteristics a new connection does not see."""
        if past_cache:
            self.stale.clear()
        hidden = frozenset(self.stale)
        self.stale = {uuid: left - 1 for uuid, left in self.stale.items() if left > 1}
        return hidden


def is_past_cache(client_options: Mapping[str, object]) -> bool:
    """Whether a client asks for the services anew, in the words that bleak has for it on Windows."""
    options = client_options.get("winrt")
    return isinstance(options, Mapping) and options.get("use_cached_services") is False

"""The Device-Proof of state-changing phone calls, and their pace."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request
from litestar.di import Provide
from litestar.exceptions import TooManyRequestsException
from litestar.params import HeaderParameter

from backend.keyring import Keyring
from backend.services import timetokens
from backend.services.act import Act, Person

Header = Annotated[
    str | None,
    HeaderParameter(
        name="Device-Proof",
        max_length=2000,
        description="base64url(JCS{body_sha256, jti, method, nonce, path}).base64url(ES256)",
    ),
]


class Pace:
    """A bucket of calls per device that refills steadily; politeness, kept by each process."""

    def __init__(self, *, per_second: float, burst: int, devices: int = 10_000) -> None:
        self.per_second, self.burst, self.devices = per_second, burst, devices
        self._left: dict[UUID, tuple[float, float]] = {}

    def take(self, device: UUID, *, at_s: float) -> None:
        """Take one call; raises TooManyRequestsException with Retry-After."""
        left, since = self._left.get(device, (float(self.burst), at_s))
        left = min(self.burst, left + max(0.0, at_s - since) * self.per_second)
        if left < 1:
            raise TooManyRequestsException(headers={"Retry-After": "1"})
        if len(self._left) >= self.devices:
            self._left.clear()
        self._left[device] = (left - 1, at_s)


# Evidence spec 12.8: 20 calls a second and device, 60 at once.
PACE = Pace(per_second=20, burst=60)


async def _proven(request: Request[Person, Any, Any], act: Act, proof: Header = None) -> Act:
    """The caller's act, once its device vouches for this very call; others have no device.

    One dependency and no more: Litestar resolves two side by side in tasks of their own.
    """
    keys: Keyring = request.app.state.keyring
    device, spki = act.by.device, act.by.device_spki
    if device is None or spki is None:
        return act
    PACE.take(device, at_s=act.at.timestamp())
    timetokens.prove(
        proof,
        timetokens.Call(request.method, request.url.path, await request.body()),
        spki=spki,
        key=keys.server,
        at=act.at,
    )
    return act


PROVEN = {"proven": Provide(_proven)}

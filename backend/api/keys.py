"""The installation's public keys: what receipts are checked with, what phones seal for."""

from litestar.datastructures import State
from msgspec import Struct

from backend.api.routes import get
from backend.keyring import Keyring
from backend.settings import Settings
from media import base64url, sealing


class SignerOut(Struct, frozen=True):
    """An Ed25519 key, raw 32 bytes in base64url."""

    kid: str
    alg: str
    public: str


class TransportOut(Struct, frozen=True):
    """The P-256 key for which phones seal blobs, SubjectPublicKeyInfo DER in base64url."""

    kid: str
    alg: str
    spki: str


class LogOut(Struct, frozen=True):
    """The key that signs the audit log's heads, and the name that stands in them."""

    origin: str
    alg: str
    public: str


class KeysOut(Struct, frozen=True):
    """``server`` signs receipts and time tokens; ``transport`` opens sealed transport."""

    server: SignerOut
    transport: TransportOut
    log: LogOut

    @classmethod
    def of(cls, keys: Keyring, log_origin: str) -> "KeysOut":
        server, transport = keys.server, keys.transport
        return cls(
            SignerOut(server.kid, "Ed25519", base64url.encode(server.public)),
            TransportOut(transport.kid, sealing.ALGORITHM, base64url.encode(transport.spki)),
            LogOut(log_origin, "Ed25519", base64url.encode(keys.log.public)),
        )


@get("/api/v1/keys", action="public.read")
async def keys(state: State, settings: Settings) -> KeysOut:
    """The keys of today; those of blobs that were sealed before still open them."""
    return KeysOut.of(state.keyring, settings.log_origin)


HANDLERS = [keys]

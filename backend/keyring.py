"""The server's own keys: seeds in one private folder, never in the database."""

import os
import secrets
from hashlib import sha256
from pathlib import Path

import msgspec

from media.keys import BoxKey, ServerKey, TransportKey

SEED_BYTES = 32


class KeysUnreadable(Exception):  # noqa: N818 - a sentence for the operator
    """The key folder is missing, readable by others, or holds something else."""


class Keyring(msgspec.Struct, frozen=True):
    """``server`` signs receipts and tokens, ``log`` checkpoints; ``kek`` wraps field keys.

    ``transport`` is what phones seal for; ``retired`` are its forerunners, for what was sealed
    for them and came late.
    """

    server: ServerKey
    log: ServerKey
    kek: bytes
    transport: TransportKey
    retired: tuple[TransportKey, ...] = ()

    @property
    def transports(self) -> dict[str, TransportKey]:
        """Every key that opens a sealed blob, by key id."""
        return {key.kid: key for key in (*self.retired, self.transport)}

    @property
    def index(self) -> bytes:
        """The key of blind indexes; it follows from ``kek``, one for all offices."""
        return sha256(b"mingcha.blind-index\n" + self.kek).digest()

    @property
    def box(self) -> BoxKey:
        """The key for which parties of draws seal links in advance; it follows from ``kek``."""
        return BoxKey.from_seed(sha256(b"mingcha.draw-box\n" + self.kek).digest())

    @property
    def tips(self) -> BoxKey:
        """The key for which identities of senders of tips are sealed; it follows from ``kek``."""
        return BoxKey.from_seed(sha256(b"mingcha.tip-box\n" + self.kek).digest())

    @property
    def visitors(self) -> bytes:
        """The key of marks of addresses; it follows from ``kek``."""
        return sha256(b"mingcha.visitor-mark\n" + self.kek).digest()


def _seed(folder: Path, name: str) -> bytes:
    file = folder / name
    if not file.exists():
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(SEED_BYTES))
            out.flush()
            os.fsync(out.fileno())
    seed = file.read_bytes()
    if len(seed) != SEED_BYTES:
        raise KeysUnreadable(
            f"{file} does not hold {SEED_BYTES} bytes; restore it from the backup."
        )
    return seed


def read_seed(file: Path) -> bytes:
    """The 32 secret bytes of one file of its own, made when it is missing."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _seed(file.parent, file.name)


def open_keyring(folder: Path) -> Keyring:
    """Read the keys, making those that are missing; raises KeysUnreadable."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        raise KeysUnreadable(f"{folder} is readable by others; run: chmod 700 {folder}")
    return Keyring(
        server=ServerKey.from_seed(_seed(folder, "server.seed")),
        log=ServerKey.from_seed(_seed(folder, "log.seed")),
        kek=_seed(folder, "kek.seed"),
        transport=TransportKey.from_seed(_seed(folder, "transport.seed")),
        # `transport.seed` renamed to `transport-<anything>.seed` retires it: a new one is made.
        retired=tuple(
            TransportKey.from_seed(_seed(folder, file.name))
            for file in sorted(folder.glob("transport-*.seed"))
        ),
    )

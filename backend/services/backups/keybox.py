"""The office's keys in one file under a passphrase, kept apart from the backup.

Source: evidence spec 12.3 (KEK outside database and backup). Scrypt (2^15, 8, 1; 32 MiB) makes the
key, AES-256-GCM seals ``{file name: hex}``; the file is salt (16) and sealed text.
"""

import hashlib
import json
from pathlib import Path

from backend.keyring import Keyring
from backend.services.backups.errors import PassphraseShort, PassphraseWrong
from backend.services.backups.records import Marks
from media import keys

SALT = 16
NONCE = bytes(12)  # a key is used once: its salt is fresh
COST, BLOCK, LANES, MEMORY = 1 << 15, 8, 1, 64 << 20
PURPOSE = b"mingcha.keybox/1"
PASSPHRASE_MIN = 12


def marks(ring: Keyring) -> Marks:
    """Which keys these are: public keys, and a hash from which the KEK cannot be got back."""
    kek = hashlib.sha256(b"mingcha.kek-mark\n" + ring.kek).hexdigest()
    return Marks(ring.server.public.hex(), ring.log.public.hex(), kek)


def _key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        passphrase.encode(), salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=MEMORY, dklen=32
    )


def seal(folder: Path, passphrase: str, *, salt: bytes) -> bytes:
    """Every seed of the key folder under the passphrase; ``salt`` is 16 fresh bytes.

    Raises: PassphraseShort ("backup.passphrase_short").
    """
    if len(passphrase) < PASSPHRASE_MIN:
        raise PassphraseShort(minimum=PASSPHRASE_MIN)
    seeds = {file.name: file.read_bytes().hex() for file in sorted(folder.glob("*.seed"))}
    text = json.dumps(seeds, sort_keys=True).encode()
    return salt + keys.seal_chunk(_key(passphrase, salt), NONCE, text, PURPOSE)


def unseal(sealed: bytes, passphrase: str, folder: Path) -> None:
    """Write the seeds of a sealed file into an empty private folder.

    Raises: PassphraseWrong ("backup.passphrase_wrong").
    """
    salt, text = sealed[:SALT], sealed[SALT:]
    try:
        plain = keys.open_chunk(_key(passphrase, salt), NONCE, text, PURPOSE)
    except keys.SealBroken:
        raise PassphraseWrong from None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, seed in json.loads(plain).items():
        file = folder / Path(name).name
        file.touch(mode=0o600)
        file.write_bytes(bytes.fromhex(seed))

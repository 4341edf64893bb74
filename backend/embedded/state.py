"""What one data directory remembers: passwords, S3 keys, ports; one private JSON file."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from backend.embedded.errors import StartFailed
from backend.settings import ROLES

FILE = "embedded.json"


def _password() -> str:
    return secrets.token_urlsafe(32)


@dataclass
class State:
    """Made at the first start, kept for the life of the data; never printed."""

    superuser_password: str = field(default_factory=_password, repr=False)
    passwords: dict[str, str] = field(
        default_factory=lambda: {role: _password() for role in ROLES}, repr=False
    )
    access_key: str = field(default_factory=lambda: secrets.token_hex(10).upper(), repr=False)
    secret_key: str = field(default_factory=_password, repr=False)
    ports: list[int] = field(default_factory=list)
    fsync_set: bool = False
    home: str = ""  # where the servers' folders are; empty: in the data directory itself


def load(data: Path) -> State | None:
    """The remembered state, None before the first start; raises StartFailed if unreadable."""
    file = data / FILE
    try:
        return State(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as fault:
        raise StartFailed("state_unreadable", file=file, why=fault) from fault


def save(data: Path, state: State) -> None:
    """Replace the file as one step that survives a power cut; 0600."""
    write_private(data / FILE, json.dumps(asdict(state), indent=1).encode())


def write_private(file: Path, content: bytes) -> None:
    """Write 0600 and durably: a new file, fsync, rename, fsync of the directory."""
    fresh = file.with_name(file.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    sync_directory(file.parent)


def sync_directory(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

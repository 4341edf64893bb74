"""The doors around S3: filer, volume, master, gRPC, directories, listeners (D7-D13, P1-P4)."""

import json
import re
import socket
import ssl
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from backend.embedded.ports import GRPC_OFFSET
from backend.embedded.s3 import Answer, plain

GRPC_TIMEOUT_S = 3
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
FRAME_HEADER = 9
SETTINGS_FRAME = 4
LISTEN = "0A"
LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
FSYNC_PREFIX = "/buckets/"
FID = re.compile(r'"fileId":\s*"([0-9]+,[0-9a-f]+)"')


@dataclass(frozen=True)
class Verdict:
    """``ok`` when the door is shut; ``seen`` is what was answered, for the log."""

    ok: bool
    seen: str


def shut(answers: Iterable[Answer]) -> Verdict:
    """Every request was answered with a refusal; silence proves nothing."""
    seen = [answer.status for answer in answers]
    return Verdict(all(400 <= status < 500 for status in seen), f"HTTP {seen}")  # noqa: PLR2004


def filer_read(port: int, folder: str, name: str) -> dict[str, Verdict]:
    """D7 on the canary's own file; ``folder`` is its absolute path in the filer."""
    host = f"127.0.0.1:{port}"
    return {"D7": shut([plain(host, "GET", f"{folder}/"), plain(host, "GET", f"{folder}/{name}")])}


def filer_write(port: int, folder: str, name: str) -> dict[str, Verdict]:
    """D8, D9 on the canary's own file."""
    host = f"127.0.0.1:{port}"
    return {
        "D8": shut([plain(host, "PUT", f"{folder}/{name}", body=b"forged")]),
        "D9": shut([plain(host, "DELETE", f"{folder}/{name}")]),
    }


def volume(port: int, method: str, fid: str | None) -> Verdict:
    """D10 (GET), D11 (DELETE) on the needle that holds the canary's bytes; None: not found."""
    if fid is None:
        return Verdict(ok=False, seen="the canary's needle is unknown")
    return shut([plain(f"127.0.0.1:{port}", method, f"/{fid}")])


def master(port: int, collection: str) -> dict[str, Verdict]:
    """P1; an open master would destroy the canary's collection, so this comes last."""
    host = f"127.0.0.1:{port}"
    paths = ("/dir/status", f"/col/delete?collection={collection}")
    return {"P1": shut([plain(host, "GET", path) for path in paths])}


def grpc(ports: Mapping[str, int]) -> dict[str, Verdict]:
    """D12: no gRPC port talks HTTP/2 in clear or over TLS without a client certificate."""
    talking = [
        f"{part}:{how}"
        for part, port in ports.items()
        for how, secret in (("clear", False), ("tls", True))
        if _speaks_http2(port + GRPC_OFFSET, secret=secret)
    ]
    return {"D12": Verdict(not talking, ", ".join(talking) or "no answer without certificate")}


def _speaks_http2(port: int, *, secret: bool) -> bool:
    """Whether the server sends its SETTINGS frame to somebody without a certificate."""
    try:
        with ExitStack() as opened:
            channel = opened.enter_context(
                socket.create_connection(("127.0.0.1", port), GRPC_TIMEOUT_S)
            )
            if secret:
                channel = opened.enter_context(_anonymous_tls().wrap_socket(channel))
            channel.sendall(PREFACE)
            got = channel.recv(FRAME_HEADER)
            return len(got) == FRAME_HEADER and got[3] == SETTINGS_FRAME
    except OSError:  # ssl.SSLError is one: the certificate was asked for
        return False


def _anonymous_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # we try the door as a stranger would
    context.set_alpn_protocols(["h2"])
    return context


def directories(folders: Sequence[Path]) -> dict[str, Verdict]:
    """D13: no folder lets group or others in."""
    open_ones = [
        f"{folder.name} {stat.S_IMODE(folder.stat().st_mode):04o}"
        for folder in folders
        if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    return {"D13": Verdict(not open_ones, ", ".join(open_ones) or "0700")}


def listeners(pids: Sequence[int]) -> dict[str, Verdict]:
    """P2: every TCP socket these processes listen on is bound to loopback, and there are some."""
    sockets = {inode for pid in pids for inode in _socket_inodes(pid)}
    bound = [
        row[1]
        for name in ("tcp", "tcp6")
        for row in _rows(Path("/proc/net") / name)
        if row[3] == LISTEN and row[9] in sockets
    ]
    wide = [where for where in bound if where.split(":")[0] not in LOOPBACK]
    return {"P2": Verdict(bool(bound) and not wide, f"{len(bound)} listeners, {len(wide)} open")}


def _rows(table: Path) -> list[list[str]]:
    """The lines of a kernel socket table: local address 1, state 3, inode 9."""
    with suppress(OSError):
        return [line.split() for line in table.read_text("ascii").splitlines()[1:]]
    return []


def _socket_inodes(pid: int) -> set[str]:
    found: set[str] = set()
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def fsync_rules(printed: str) -> dict[str, Verdict]:
    """P3 from what ``fs.configure`` printed: the rule for all buckets, and none that undoes it."""
    start, end = printed.find("{"), printed.find("\n}") + 2
    try:
        rules = json.loads(printed[start:end])["locations"]
        prefixes = {rule["locationPrefix"]: bool(rule["fsync"]) for rule in rules}
    except (ValueError, KeyError, TypeError):
        return {"P3": Verdict(ok=False, seen="the rules could not be read")}
    inside = {at: on for at, on in prefixes.items() if at.startswith(FSYNC_PREFIX)}
    kept = inside.get(FSYNC_PREFIX, False) and all(inside.values())
    return {"P3": Verdict(kept, json.dumps(inside))}


def needle(printed: str) -> str | None:
    """The file id that ``fs.meta.cat`` printed."""
    found = FID.search(printed)
    return found.group(1) if found else None


def program(
    actual: str, recorded: str, version: tuple[int, ...], oldest: tuple[int, ...]
) -> dict[str, Verdict]:
    """P4: digest as recorded (lower hex) and not older than the advisories allow."""
    same = bool(recorded) and actual == recorded
    return {
        "P4": Verdict(same and version >= oldest, f"{actual[:12]} {'.'.join(map(str, version))}")
    }

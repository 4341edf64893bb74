"""What a 12-megapixel photo costs the worker, beside decoding it once."""

import io
import os
import statistics
import time
from pathlib import Path

from PIL import Image

from media.darkroom import Darkroom
from tests.bench.figures import Figure

ROUNDS = 10


def a_photo() -> bytes:
    """A JPEG of 4000 x 3000 with the detail of a room, about 3 MB."""
    noise = Image.effect_noise((1000, 750), 60).resize((4000, 3000)).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=85)
    return out.getvalue()


def children_seconds(parent: int) -> float:
    """Processor seconds of this process's children, as the kernel counts them."""
    total = 0.0
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def run() -> list[Figure]:
    """Interleaved rounds: decode here, then two previews in the limited child."""
    raw, plain, made = a_photo(), [], []
    with Darkroom() as room:
        room.develop("image/jpeg", raw)
        for _ in range(ROUNDS):
            start = time.process_time()
            with Image.open(io.BytesIO(raw), formats=["JPEG"]) as picture:
                picture.load()
            middle, child = time.process_time(), children_seconds(os.getpid())
            room.develop("image/jpeg", raw)
            plain.append(middle - start)
            made.append(time.process_time() - middle + children_seconds(os.getpid()) - child)
    ratio = sum(made) / sum(plain)
    return [
        Figure("photo: previews of 12 megapixels beside one decoding", ratio, "x", target=2.0),
        Figure("photo: one decoding", statistics.median(plain) * 1000, "ms"),
    ]

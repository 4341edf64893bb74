"""A colleague's captures by QR: every list comes back whole, and a lens can read each code."""

from random import Random
from typing import Any
from uuid import UUID

import segno

from tests.phone_core import node

MOST = 400
# Of a code of this version a phone's lens still tells the dots apart at arm's length.
DENSEST = 22


def a_list(rng: Random, n: int) -> dict[str, Any]:
    items = [
        {"id": str(UUID(int=rng.getrandbits(128))), "sha256": rng.randbytes(32).hex()}
        for _ in range(n)
    ]
    visit, dev = (str(UUID(int=rng.getrandbits(128))) for _ in range(2))
    return {"visit": visit, "dev": dev, "items": items}


def test_a_list_comes_back_whole_from_its_codes() -> None:
    rng = Random(5)
    asked = [a_list(rng, n) for n in (0, 1, 8, 9, 60, MOST)]
    for case, found in zip(asked, node.call("codes", asked), strict=True):
        parts = found["parts"]
        assert [item for part in parts for item in part["items"]] == case["items"]
        assert [part["n"] for part in parts] == list(range(1, len(parts) + 1))
        assert {(part["visit"], part["dev"], part["all"]) for part in parts} <= {
            (case["visit"], case["dev"], len(parts))
        }
        assert found["other"] is None
        for code in found["codes"][:3]:
            assert int(segno.make(code, error="m", micro=False).version) <= DENSEST

"""Where one row stands in its stratum: its ticket and key beside the published threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .digest import hasher
from .seed import tagged, unhex
from .select import pareto


def standing(
    alg: str, seed: str, row: Mapping[str, Any], total: Mapping[str, Any]
) -> dict[str, Any]:
    """Give {ticket, key, under} of a row in play: decimal texts, and whether it was drawn by lot.

    `total` is its stratum's of `select_with_totals`; `under` tells that the key is not above the
    threshold, None where the stratum drew nobody by lot. A row that is excluded, a must or
    certain has a ticket too, so that the record shows whether it would have been drawn.
    Source: draw.md sections 2.6, 2.7, 5.
    """
    start = hasher(alg)(tagged("ssj1.ticket") + unhex(seed, "seed"))
    start.update(row["id"].encode())
    ticket = int.from_bytes(start.digest(), "big")
    key = pareto(ticket, row.get("w", 1), total["random"], int(total["weight"]))
    under = None if total["threshold"] is None else key <= int(total["threshold"])
    return {"ticket": str(ticket), "key": str(key), "under": under}

"""Who counted the people of a class, and how many: the numbers that are held to each other."""

from collections.abc import Sequence
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.signals import rows
from media.manifest import Roll


async def counts(
    visit: UUID, rolls: Sequence[tuple[str, Roll | None]]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Counts by who counted, and the pictures they were counted in.

    ``called`` by a whole roll-call, strangers with them; ``seen`` and ``photo`` by the inspector,
    ``signed`` on the sheet of the class, ``recount`` by a second person who did not know. A
    picture may show a part of the room, so the most of several counts.
    """
    found: dict[str, int] = {}
    for row in await DB.connection.fetch(rows.ROLLCALLS, visit):
        if row["called_count"] == row["roster_count"]:
            found.setdefault("called", row["present_count"] + row["stranger_count"])
        if row["head_count"] is not None:
            found.setdefault("seen", row["head_count"])
    answered = await DB.connection.fetchrow(rows.SIGNED, visit)
    if answered is not None:
        for name, said in (("signed", answered["signed"]), ("present", answered["present"])):
            if said is not None and said.isdecimal():
                found[name] = int(said)
    shown = [(piece, roll.count) for piece, roll in rolls if roll is not None]
    if shown:
        found["photo"] = max(count for _, count in shown)
    recounts = await DB.connection.fetch(rows.RECOUNTS, visit)
    if recounts:
        found["recount"] = recounts[0]["heads"]
    pieces = dict.fromkeys(
        [piece for piece, _ in shown] + [str(row["evidence"]) for row in recounts]
    )
    return found, tuple(pieces)

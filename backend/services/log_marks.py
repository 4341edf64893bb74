"""The head of the log as papers and the public page carry it 树头: words, and a code to scan.

Source: evidence spec 8 (anchor c): whoever keeps a paper is a witness. The code holds the signed
note itself, so that it proves something without this site.
"""

import io
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import segno

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services.errors import Absent
from backend.services.log_words import say
from backend.services.texts import Language
from media.checkpoint import parse

PUBLIC = Scope(role="public")
BEIJING = ZoneInfo("Asia/Shanghai")
DEVELOPMENT = "dev-tsa"
MARK = """
select h.size, h.note, h.created_at, h.anchored_at, h.stamped_at, h.authority,
  s.size as last_size, s.stamped_at as last_at
from aud.checkpoint h
left join lateral (select size, stamped_at from aud.checkpoint where tsr is not null
  order by size desc limit 1) s on true
order by h.size desc limit 1
"""
# One module is 3 units wide: a note of 300 characters is as large as a thumb, and scans.
SCALE = 3


class HeadMark(msgspec.Struct, frozen=True):
    """The newest head for print: ``root`` lower hex, ``qr`` an SVG that holds ``note``.

    ``stamped_at`` is None while this very head is not time-stamped; ``lines`` say so in words.
    """

    size: int
    root: str
    note: str
    signed_at: datetime
    anchored_at: datetime | None
    stamped_at: datetime | None
    authority: str | None
    lines_zh: tuple[str, ...]
    lines_en: tuple[str, ...]
    qr: str


def shown(at: datetime) -> str:
    """An instant as papers show it, in Beijing."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def code_of(note: str) -> str:
    """An inline SVG of the note as a QR code; black on what lies under it, four modules quiet."""
    out = io.BytesIO()
    segno.make(note, error="m", micro=False).save(
        out, kind="svg", scale=SCALE, border=4, xmldecl=False, nl=False, light="#fff"
    )
    return out.getvalue().decode()


async def mark() -> HeadMark | None:
    """The newest head for papers and pages, or None while nothing is sealed."""
    async with DB.transaction(PUBLIC, readonly=True):
        row = await DB.connection.fetchrow(MARK)
    if row is None:
        return None
    root = parse(row["note"]).head.root.hex()

    def lines(language: Language) -> tuple[str, ...]:
        return (
            say("mark.head", language, size=row["size"], root=root),
            say("mark.signed", language, at=shown(row["created_at"])),
            _stamp(
                row["stamped_at"], row["authority"], row["last_size"], row["last_at"], language
            ),
        )

    return HeadMark(
        size=row["size"],
        root=root,
        note=row["note"],
        signed_at=row["created_at"],
        anchored_at=row["anchored_at"],
        stamped_at=row["stamped_at"],
        authority=row["authority"],
        lines_zh=lines("zh"),
        lines_en=lines("en"),
        qr=code_of(row["note"]),
    )


async def newest() -> HeadMark:
    """The newest head for papers and pages; raises Absent while nothing is sealed."""
    found = await mark()
    if found is None:
        raise Absent
    return found


def _stamp(
    at: datetime | None,
    authority: str | None,
    last_size: int | None,
    last_at: datetime | None,
    language: Language,
) -> str:
    """What is to be said of the stamp; never silent, never green by default."""
    if at is not None and authority is not None:
        name = "mark.stamped_dev" if authority == DEVELOPMENT else "mark.stamped"
        return say(name, language, at=shown(at), authority=authority)
    if last_at is not None and last_size is not None:
        return say("mark.earlier", language, size=last_size, at=shown(last_at))
    return say("mark.not_yet", language)

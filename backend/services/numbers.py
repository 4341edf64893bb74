"""Numbers of documents 文号: gapless by issuer, kind and year, taken in the act that issues."""

from functools import cache
from pathlib import Path
from uuid import UUID

import msgspec
import yaml

from backend.piccolo_conf import DB
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent

FILE = Path(__file__).parent.parent / "texts" / "numbers.yaml"
# The row is locked until COMMIT: a number given to an act that fails goes to the next one.
NEXT = """
insert into number_sequence (region, issuer, kind, year, last)
select region, id, $2, $3, 1 from office where id = $1
on conflict (issuer, kind, year) do update set last = number_sequence.last + 1
returning last, (select short_name from office where id = $1) as issuer
"""


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a number is written, and the word of each kind of document."""

    pattern: str
    words: dict[str, str]


class Number(msgspec.Struct, frozen=True):
    """One number: ``text`` is what stands on the paper."""

    year: int
    seq: int
    text: str


@cache
def pattern() -> Pattern:
    """The pattern and words, read once per process."""
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), Pattern)


async def take(office: UUID, kind: str, *, act: Act) -> Number:
    """The next number of this issuer, kind and year (Asia/Shanghai); call it in the issuing act.

    Source: casework 2. Raises: Absent.
    """
    year = on_day(act.at).year
    row = await DB.connection.fetchrow(NEXT, office, kind, year)
    if row is None:
        raise Absent
    words = pattern()
    text = words.pattern.format(
        issuer=row["issuer"], word=words.words[kind], year=year, seq=row["last"]
    )
    return Number(year, row["last"], text)

"""What inspectors answer and photograph: passing by the parts' types, failing where planted."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inspection_plans import completeness, sheets
from inspection_plans.checklist import Answer, judge
from inspection_plans.completeness import Carrier, Told
from inspection_plans.sheets import Item, Mark, Profile, Requirement, Sheet, Source, TickRule, When
from seed import images
from seed.world import Breach

PLENTY = 40
HERE_OF, HERE = 8, 5  # where the roster is a fiction, one of eight is there
NOT_COPIED = "原件已当场核对并退还，未逐一留存复制件"
TAKEN_APART = "两处数字清点时间不同，以先清点的为准"
PHOTO, INTERVIEW = "photo", "interview"
PAPERS = frozenset(
    {"contract", "payment_record", "document", "attendance_record", "timetable", "exam_record"}
)
BOARD, ROOM, ADVERT = (
    ("招牌", "场所", "横幅"),
    ("教室", "全景", "设备", "考场"),
    ("宣传", "公告", "公示"),
)
PLACE = {"acc_cm": 800, "crs": "wgs84"}


@dataclass(frozen=True)
class Slip:
    """One small thing at an otherwise clean institution: an item that is answered with no."""

    item: str
    said: str


@dataclass(frozen=True)
class Scene:
    """What a team finds: where, and which breach or slip is there if any."""

    name: str
    lat_e7: int
    lon_e7: int
    breach: Breach | None = None
    slip: Slip | None = None
    heads: int = 34

    @property
    def empty(self) -> bool:
        """Whether the people of the roster are not there."""
        return self.breach is not None and self.breach.kind == "ghost_roster"


def answers(sheet: Sheet, scene: Scene) -> list[dict[str, Any]]:
    """An answer to every item, in the order of their codes, as the operation carries them."""
    told = [_answer(item, scene) for item in sheet.items]
    return sorted(told, key=lambda one: str(one["item"]))


def _answer(item: Item, scene: Scene) -> dict[str, Any]:
    value: dict[str, Any] = {part.name: _passing(part, scene) for part in item.answer}
    if scene.breach and scene.breach.item == item.code:
        return {
            "item": item.code,
            "reason": scene.breach.said,
            "value": value | scene.breach.answer,
        }
    if scene.slip and scene.slip.item == item.code:
        name = next(part.name for part in item.answer if isinstance(part, sheets.YesNo))
        return {"item": item.code, "reason": scene.slip.said, "value": value | {name: "no"}}
    return {"item": item.code, "reason": "", "value": value}


def _passing(part: sheets.AnyPart, scene: Scene) -> object:  # noqa: PLR0911 - one per type
    """A value of this part that no rule objects to."""
    match part:
        case sheets.YesNo():
            return "yes"
        case sheets.Choice():
            return next(option.code for option in part.options if option.mark is Mark.PASS)
        case sheets.MultiChoice():
            wanted = Mark.REQUIRED if part.rule is TickRule.ALL_OF else Mark.PASS
            return [option.code for option in part.options if option.mark is wanted]
        case sheets.Count():
            return {field.name: PLENTY for field in part.fields}
        case sheets.Ratio():
            return {"numerator": PLENTY, "denominator": PLENTY}
        case sheets.Sample():
            return {"population": PLENTY, "checked": part.n, "failed": 0}
        case sheets.Scale():
            return part.highest
        case sheets.Text():
            return "现场配合检查"
        case sheets.Location():
            return {"lat": scene.lat_e7, "lon": scene.lon_e7, **PLACE}


def asked(item: Item, *, failed: bool) -> list[Requirement]:
    """What inspectors must bring for an item."""
    return [
        one
        for one in item.evidence
        if one.by is Source.INSPECTOR and (one.when is When.ALWAYS or failed)
    ]


def finished(
    sheet: Sheet, told: list[dict[str, Any]], facts: Mapping[str, Any], shots: Sequence["Shot"]
) -> list[dict[str, Any]]:
    """The answers as a phone lets them go: only what is asked, and a word for what is lacking.

    Papers are looked at and not all copied; figures taken at different times differ.
    """
    judged = [
        Told(
            device="",
            item=one["item"],
            verdict=judge(sheet, Answer(**one)).verdict,
            value=one["value"],
            reasoned=bool(one["reason"]),
        )
        for one in told
    ]
    asked = {one.item for one in completeness.counting(sheet, judged, facts)}
    pieces = Counter(shot.item for shot in shots)
    seen = {Carrier.INTERVIEW.value: interviews(sheet), Carrier.LOCATION.value: 1}
    held = {item.code: {**seen, Carrier.IMAGE.value: pieces[item.code]} for item in sheet.items}
    lacks = completeness.lacking(sheet, judged, facts, held)
    uncopied = {one.item for one in lacks.evidence}
    apart = {one.item for one in lacks.bounds}
    return [
        one
        | ({"without": NOT_COPIED} if one["item"] in uncopied else {})
        | ({"reason": TAKEN_APART} if one["item"] in apart else {})
        for one in told
        if one["item"] in asked
    ]


@dataclass(frozen=True)
class Shot:
    """One picture to take: for which item, and what it shows."""

    item: str
    title: str
    profile: Profile | None
    number: int


def shots(sheet: Sheet, scene: Scene) -> list[Shot]:
    """A picture for every photo asked for, and one of the breach's paper; the breach first."""
    failing = scene.breach.item if scene.breach else ""
    taken = []
    for item in sheet.items:
        wanted = asked(item, failed=item.code == failing)
        photos = [one for one in wanted if one.kind == PHOTO]
        if item.code == failing and not photos:
            photos = [one for one in wanted if one.kind in PAPERS][:1] or wanted[:1]
        for one in photos:
            title = one.of.zh if one.of else item.zh
            taken += [Shot(item.code, title, one.profile, n) for n in range(1, one.n + 1)]
    return sorted(taken, key=lambda shot: shot.item != failing)


def interviews(sheet: Sheet) -> int:
    """How many interviews the sheet asks for at one item, at most."""
    counted = [one.n for item in sheet.items for one in item.evidence if one.kind == INTERVIEW]
    return max(counted, default=0)


def picture(shot: Shot, scene: Scene, seed: int) -> bytes:
    """The JPEG of a shot: the breach where it is planted, else the place as it should be."""
    breach = scene.breach
    if breach and breach.item == shot.item and shot.number == 1:
        return _of_breach(breach, scene, seed)
    lines = (scene.name[:18], f"要点 {shot.item} 第 {shot.number} 张", f"编号 {seed % 10**8:08d}")
    if shot.profile is Profile.DOCUMENT:
        return images.document(shot.title[:14], lines, seed)
    if any(word in shot.title for word in BOARD):
        return images.sign(scene.name[:20], seed)
    if any(word in shot.title for word in ADVERT):
        return images.poster((shot.title[:10], scene.name[:9], "以公示为准"), seed)
    if any(word in shot.title for word in ROOM):
        return images.classroom(HERE if scene.empty else scene.heads, seed, lines[:2])
    return images.document(shot.title[:14], lines, seed)


def _of_breach(breach: Breach, scene: Scene, seed: int) -> bytes:
    if breach.picture == "classroom":
        return images.classroom(HERE if scene.empty else scene.heads, seed, breach.words)
    draw = images.contract if breach.picture == "contract" else images.poster
    return draw(breach.words, seed)


def marks(
    roster: Sequence[Mapping[str, Any]], scene: Scene, rng: random.Random
) -> list[dict[str, str]]:
    """A roll-call 点名: one of forty is missing, or all but five of them."""
    here = len(roster) // HERE_OF if scene.empty else len(roster) - len(roster) // PLENTY
    present = set(rng.sample(range(len(roster)), here))
    return [
        {"trainee": str(one["id"]), "state": "present" if place in present else "absent"}
        for place, one in enumerate(roster)
    ]

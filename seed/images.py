"""Pictures of the fictional year: posters, contracts, classrooms, licences, all drawn, none taken.

Every picture carries 虚构示例 in a corner. JPEG, long edge 1600 px, well under 350 KB, like the
in-page viewfinder's.
"""

import importlib.util
import random
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFont

SIZE, GRAIN = (1600, 1200), (400, 300)
MARK = "虚构示例 · 非真实机构与人员"
LONG_NAME = 14  # signs
INK, PAPER, RED, BLUE = (34, 40, 52), (250, 248, 242), (196, 38, 30), (28, 78, 150)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK Bold in a size; the font comes as a package."""
    spec = importlib.util.find_spec("rinoh_typeface_notosanscjk")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the font package is missing: run make demo, which installs it")
    folder = Path(spec.submodule_search_locations[0])
    return ImageFont.truetype(str(folder / "notosanscjkjp-bold.otf"), size)


def _held(image: Image.Image, rng: random.Random) -> Image.Image:
    """As a hand holds the camera: a little turned, a little nearer, never twice the same."""
    angle = rng.choice((-1, 1)) * rng.uniform(0.5, 3.5)
    edge = image.getpixel((2, 2))  # the wall or the desk goes on beyond the picture
    turned = image.rotate(angle, Image.Resampling.BILINEAR, fillcolor=edge)
    near = rng.uniform(0.80, 0.92)
    width, height = round(image.width * near), round(image.height * near)
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    cut = turned.crop((left, top, left + width, top + height)).resize(image.size)
    return ImageEnhance.Brightness(cut).enhance(rng.uniform(0.85, 1.1))


def _jpeg(image: Image.Image, rng: random.Random) -> bytes:
    """Held by hand, with some grain, so that no two pictures are alike; then JPEG."""
    image = _held(image, rng)
    grain = Image.frombytes("L", GRAIN, rng.randbytes(GRAIN[0] * GRAIN[1])).resize(image.size)
    image = Image.blend(image, grain.convert("RGB"), 0.05)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, image.height - 60, 480, image.height), fill=PAPER)
    draw.text((24, image.height - 52), MARK, font=_font(28), fill=INK)
    out = BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()


def _wall(rng: random.Random) -> Image.Image:
    """A wall in daylight: a soft gradient with a skirting board."""
    shade = rng.randrange(196, 226)
    top = Image.linear_gradient("L").resize(SIZE)
    base = Image.new("RGB", SIZE, (shade, shade, shade - 8))
    lit = Image.composite(base, Image.new("RGB", SIZE, (shade + 20,) * 3), top)
    ImageDraw.Draw(lit).rectangle((0, 1080, 1600, 1200), fill=(112, 96, 82))
    return lit


def _centred(
    draw: ImageDraw.ImageDraw, text: str, y: int, size: int, fill: tuple[int, int, int]
) -> None:
    width = draw.textlength(text, font=_font(size))
    draw.text(((SIZE[0] - width) / 2, y), text, font=_font(size), fill=fill)


def poster(words: tuple[str, ...], seed: int) -> bytes:
    """An advertisement on a wall: first line large, the rest below, a telephone that is none."""
    rng = random.Random(seed)
    image = _wall(rng)
    draw = ImageDraw.Draw(image)
    draw.rectangle((250, 110, 1350, 1000), fill=(255, 244, 214), outline=RED, width=14)
    draw.rectangle((250, 110, 1350, 300), fill=RED)
    _centred(draw, words[0], 145, 92, (255, 255, 255))
    for line, text in enumerate(words[1:]):
        _centred(draw, text, 370 + line * 210, 150 if line == 0 else 84, RED if line == 0 else INK)
    _centred(draw, "报名电话 0000-0000000", 880, 56, BLUE)
    return _jpeg(image, rng)


def contract(words: tuple[str, ...], seed: int) -> bytes:
    """A page of a contract on a desk: a title, lines of small text, the clause that matters."""
    rng = random.Random(seed)
    image = Image.new("RGB", SIZE, (126, 92, 62))
    draw = ImageDraw.Draw(image)
    draw.rectangle((330, 40, 1270, 1170), fill=PAPER)
    _centred(draw, words[0], 90, 60, INK)
    for line in range(14):
        y = 210 + line * 62
        if line in (4, 8) and len(words) > 1 + line // 8:
            draw.text((400, y - 14), words[1 + line // 8], font=_font(46), fill=INK)
            continue
        width = rng.randrange(520, 800)
        draw.rectangle((400, y, 400 + width, y + 16), fill=(168, 166, 160))
    draw.ellipse((940, 900, 1140, 1100), outline=RED, width=8)
    draw.text((955, 978), "示例专用章", font=_font(34), fill=RED)
    return _jpeg(image, rng)


def classroom(heads: int, seed: int, words: tuple[str, ...] = ()) -> bytes:
    """A classroom from the back: ``heads`` people at rows of desks, the rest empty chairs."""
    rng = random.Random(seed)
    image = _wall(rng)
    draw = ImageDraw.Draw(image)
    draw.rectangle((380, 90, 1220, 420), fill=(38, 84, 66), outline=(206, 178, 120), width=12)
    for line, text in enumerate(words or ("数字技术工程师培训",)):
        _centred(draw, text, 170 + line * 90, 70, (236, 240, 232))
    seats = [(90 + column * 180, 560 + row * 130) for row in range(5) for column in range(8)]
    taken = set(rng.sample(seats, min(heads, len(seats))))
    for x, y in seats:
        draw.rectangle((x, y + 50, x + 140, y + 70), fill=(178, 140, 96))
        if (x, y) in taken:
            shirt = rng.choice((BLUE, (90, 110, 96), (140, 60, 70), (70, 70, 90)))
            draw.ellipse((x + 46, y - 36, x + 94, y + 18), fill=(40, 32, 30))
            draw.rounded_rectangle((x + 30, y + 14, x + 110, y + 56), 16, fill=shirt)
    return _jpeg(image, rng)


def sign(name: str, seed: int) -> bytes:
    """The entrance of an institution with its name board."""
    rng = random.Random(seed)
    image = _wall(rng)
    draw = ImageDraw.Draw(image)
    draw.rectangle((520, 380, 1080, 1080), fill=(88, 104, 122), outline=INK, width=10)
    draw.line((800, 380, 800, 1080), fill=INK, width=8)
    draw.rectangle((160, 170, 1440, 320), fill=(244, 240, 228), outline=(150, 120, 60), width=8)
    size = 84 if len(name) < LONG_NAME else 56
    _centred(draw, name, 245 - size // 2 - 10, size, INK)
    return _jpeg(image, rng)


def document(title: str, lines: tuple[str, ...], seed: int) -> bytes:
    """A paper laid flat: licence, notice of fees, rectification report."""
    rng = random.Random(seed)
    image = Image.new("RGB", SIZE, (92, 96, 104))
    draw = ImageDraw.Draw(image)
    draw.rectangle((300, 60, 1300, 1150), fill=PAPER)
    _centred(draw, title, 120, 64, INK)
    for line, text in enumerate(lines):
        draw.text((380, 270 + line * 90), text, font=_font(44), fill=INK)
    return _jpeg(image, rng)

"""Positions and distances in whole numbers: the three datums of Chinese maps, metres apart.

Degrees are in 1e-7, lengths in centimetres.  Sines are series in fixed point, so that a distance
is the same on every machine.
"""

from math import isqrt

from inspection_plans.records import Record

ONE = 10**15
PI = 3_141_592_653_589_793
DEGREE = 10_000_000
HALF_TURN = 180 * DEGREE
RADIUS_CM = 637_100_880  # mean radius of the earth
TERMS = 12
UNKNOWN = "?"
DATUMS = ("wgs84", "gcj02", "bd09")
# Outside this box the national datum is not shifted: (least, most) latitude and longitude.
SHIFTED = ((8_293_000, 558_271_000), (720_040_000, 1_378_347_000))
AXIS_CM, ECCENTRICITY = 637_824_500, 6_693_421_622_966  # Krassovsky; squared, of ONE
ORIGIN_LAT, ORIGIN_LON = 35 * DEGREE, 105 * DEGREE
BD_LAT, BD_LON = 60_000, 65_000  # what the map of the third datum adds, 1e-7 degrees
BD_TURNS = 3000  # waves of its ripple in a half turn
BD_RADIAL, BD_ANGULAR = 200, 3_000_000_000  # 0.00002 degrees; 0.000003 of ONE


class Position(Record, frozen=True, kw_only=True):
    """A place on a map: 1e-7 degrees, and the map's datum, ``?`` when nobody said."""

    lat_e7: int
    lon_e7: int
    crs: str = UNKNOWN


def sine(angle: int) -> int:
    """Sine of radians in fixed point of ``ONE``, in the same."""
    angle = (angle + PI) % (2 * PI) - PI
    if angle > PI // 2:
        angle = PI - angle
    elif angle < -PI // 2:
        angle = -PI - angle
    term, total = angle, angle
    for order in range(1, TERMS):
        term = -term * angle // ONE * angle // ONE // (2 * order * (2 * order + 1))
        total += term
    return total


def cosine(angle: int) -> int:
    """Cosine of radians, as ``sine``."""
    return sine(angle + PI // 2)


def radians(degrees_e7: int) -> int:
    """Degrees in 1e-7 as radians in fixed point."""
    return degrees_e7 * PI // HALF_TURN


def distance_cm(one: Position, other: Position) -> int:
    """Centimetres between two positions of one datum, on a sphere, for at most some 1,000 km."""
    middle = cosine(radians((one.lat_e7 + other.lat_e7) // 2))
    lon = (other.lon_e7 - one.lon_e7 + HALF_TURN) % (2 * HALF_TURN) - HALF_TURN
    north = RADIUS_CM * radians(other.lat_e7 - one.lat_e7) // ONE
    east = RADIUS_CM * radians(lon) // ONE * middle // ONE
    return isqrt(north * north + east * east)


def _wave(degrees_e7: int, number: int, over: int = 1) -> int:
    """Sine of pi * number / over for each degree."""
    return sine(number * PI * degrees_e7 // (over * DEGREE))


def _ripple(parts: tuple[tuple[int, int], ...]) -> int:
    """Two thirds of the sum of amplitude (cm) times wave, in centimetres."""
    return 2 * sum(amplitude * wave for amplitude, wave in parts) // (3 * ONE)


def _offset(at: Position) -> tuple[int, int]:
    """How far the national datum shifts a WGS84 position, 1e-7 degrees north and east."""
    x, y = at.lon_e7 - ORIGIN_LON, at.lat_e7 - ORIGIN_LAT
    root = isqrt(abs(x) * DEGREE)
    common = _ripple(((2000, _wave(x, 6)), (2000, _wave(x, 2))))
    squares = 10 * (x * y // DEGREE)
    north_cm = (
        (200 * x + 300 * y + 20 * (y * y // DEGREE) + squares + 20 * root) // DEGREE
        - 10_000
        + common
        + _ripple(((2000, _wave(y, 1)), (4000, _wave(y, 1, 3))))
        + _ripple(((16_000, _wave(y, 1, 12)), (32_000, _wave(y, 1, 30))))
    )
    east_cm = (
        (100 * x + 200 * y + 10 * (x * x // DEGREE) + squares + 10 * root) // DEGREE
        + 30_000
        + common
        + _ripple(((2000, _wave(x, 1)), (4000, _wave(x, 1, 3))))
        + _ripple(((15_000, _wave(x, 1, 12)), (30_000, _wave(x, 1, 30))))
    )
    across = sine(radians(at.lat_e7))
    flat = ONE - ECCENTRICITY * across // ONE * across // ONE
    root_flat = isqrt(flat * ONE)
    meridian = AXIS_CM * (ONE - ECCENTRICITY) // flat * ONE // root_flat
    parallel = AXIS_CM * ONE // root_flat * cosine(radians(at.lat_e7)) // ONE
    return (
        north_cm * HALF_TURN * ONE // (meridian * PI),
        east_cm * HALF_TURN * ONE // (parallel * PI),
    )


def _from_national(at: Position) -> Position:
    """A GCJ-02 position as WGS84; two steps bring it within a metre."""
    (south, north), (west, east) = SHIFTED
    if not (south <= at.lat_e7 <= north and west <= at.lon_e7 <= east):
        return Position(lat_e7=at.lat_e7, lon_e7=at.lon_e7, crs="wgs84")
    found = at
    for _ in range(2):
        lat, lon = _offset(found)
        found = Position(lat_e7=at.lat_e7 - lat, lon_e7=at.lon_e7 - lon, crs="wgs84")
    return found


def to_national(at: Position) -> Position:
    """A WGS84 position as maps in China show it, GCJ-02."""
    lat, lon = _offset(at)
    return Position(lat_e7=at.lat_e7 + lat, lon_e7=at.lon_e7 + lon, crs="gcj02")


def _from_ripple(at: Position) -> Position:
    """A BD-09 position as GCJ-02: a small turn and stretch about the origin of the map."""
    x, y = at.lon_e7 - BD_LON, at.lat_e7 - BD_LAT
    far = isqrt(x * x + y * y)
    radial = BD_RADIAL * _wave(y, BD_TURNS, 180) // ONE
    turn = BD_ANGULAR * sine(BD_TURNS * PI * x // (180 * DEGREE) + PI // 2) // ONE
    lon, lat = x + y * turn // ONE, y - x * turn // ONE
    return Position(
        lat_e7=lat - lat * radial // far, lon_e7=lon - lon * radial // far, crs="gcj02"
    )


def to_wgs84(at: Position) -> Position:
    """A position of a known datum in WGS84; one of an unknown datum as it stands."""
    if at.crs == "gcj02":
        return _from_national(at)
    if at.crs == "bd09":
        return _from_national(_from_ripple(at))
    return at


def apart_cm(one: Position, other: Position) -> tuple[int, bool]:
    """Centimetres between two positions, and whether both datums are known.

    Where one is unknown it is read in each datum, and the nearest reading counts.
    """
    known = UNKNOWN not in (one.crs, other.crs)
    return min(
        distance_cm(to_wgs84(first), to_wgs84(second))
        for first in _readings(one)
        for second in _readings(other)
    ), known


def _readings(at: Position) -> tuple[Position, ...]:
    if at.crs != UNKNOWN:
        return (at,)
    return tuple(Position(lat_e7=at.lat_e7, lon_e7=at.lon_e7, crs=crs) for crs in DATUMS)

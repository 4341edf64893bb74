"""The datums of Chinese maps in floating point: an oracle that shares nothing with the product."""

import math
import random

from inspection_plans.signals.geodesy import Position

PI = math.pi
AXIS, ECCENTRICITY = 6378245.0, 0.00669342162296594323
LAPS = PI * 3000.0 / 180.0
METRES_A_DEGREE = 111_195.0


def _common(x: float) -> float:
    return (20 * math.sin(6 * x * PI) + 20 * math.sin(2 * x * PI)) * 2 / 3


def national(lat: float, lon: float) -> tuple[float, float]:
    """WGS84 as GCJ-02."""
    x, y = lon - 105, lat - 35
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + _common(x)
    north += (20 * math.sin(y * PI) + 40 * math.sin(y / 3 * PI)) * 2 / 3
    north += (160 * math.sin(y / 12 * PI) + 320 * math.sin(y * PI / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + _common(x)
    east += (20 * math.sin(x * PI) + 40 * math.sin(x / 3 * PI)) * 2 / 3
    east += (150 * math.sin(x / 12 * PI) + 300 * math.sin(x / 30 * PI)) * 2 / 3
    magic = 1 - ECCENTRICITY * math.sin(math.radians(lat)) ** 2
    meridian = AXIS * (1 - ECCENTRICITY) / (magic * math.sqrt(magic)) * PI
    parallel = AXIS / math.sqrt(magic) * math.cos(math.radians(lat)) * PI
    return lat + north * 180 / meridian, lon + east * 180 / parallel


def rippled(lat: float, lon: float) -> tuple[float, float]:
    """GCJ-02 as BD-09."""
    far = math.hypot(lon, lat) + 0.00002 * math.sin(lat * LAPS)
    turn = math.atan2(lat, lon) + 0.000003 * math.cos(lon * LAPS)
    return far * math.sin(turn) + 0.006, far * math.cos(turn) + 0.0065


def shown(lat: float, lon: float, crs: str, *, hide: bool = False) -> Position:
    """A true place as a map of ``crs`` shows it; ``hide`` leaves out which map it was."""
    at = (lat, lon)
    if crs != "wgs84":
        at = national(*at)
    if crs == "bd09":
        at = rippled(*at)
    return Position(lat_e7=round(at[0] * 1e7), lon_e7=round(at[1] * 1e7), crs="?" if hide else crs)


def somewhere(rng: random.Random) -> tuple[float, float]:
    """A place in one of the provinces, near a town."""
    return rng.uniform(22.0, 47.0), rng.uniform(100.0, 127.0)


def moved(at: tuple[float, float], metres: float, rng: random.Random) -> tuple[float, float]:
    """The place so many metres away in some direction."""
    way = rng.uniform(0, 2 * PI)
    north, east = metres * math.cos(way), metres * math.sin(way)
    return (
        at[0] + north / METRES_A_DEGREE,
        at[1] + east / (METRES_A_DEGREE * math.cos(math.radians(at[0]))),
    )


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle metres."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(half))

"""The thresholds of signals for a place, read once from the settings."""

from collections.abc import Mapping
from dataclasses import fields

from inspection_plans.records import Record
from inspection_plans.settings import UnknownSetting, nearest
from inspection_plans.vocabulary import Jurisdiction, Setting

PREFIX = "signal_"


class Limits(Record, frozen=True, kw_only=True):
    """Each field is the setting ``signal_<field>``; the last word of a name is its unit."""

    phash_bits: int
    dhash_bits: int
    whash_bits: int
    fine_bits: int
    detail_centigrey: int
    exif_time_min: int
    exif_place_m: int
    exif_usual_captures: int
    geofence_m: int
    geofence_unknown_m: int
    mock_fixes: int
    mock_span_s: int
    fix_age_s: int
    clock_s: int
    travel_kmh: int
    travel_from_m: int
    devices_apart_m: int
    devices_window_min: int
    chain_wait_hours: int
    burst_captures: int
    burst_window_s: int
    hurry_items: int
    hurry_gap_s: int
    heads_least: int
    heads_percent: int
    roster_percent: int
    roster_least: int


def limits(settings: Mapping[tuple[str, Jurisdiction], Setting], jurisdiction: str) -> Limits:
    """The thresholds of the place, or of the nearest that covers it.

    Raises: UnknownSetting ("policy.unknown_setting").
    Source: evidence spec 10; settled point 4.
    """
    found = {}
    for known in fields(Limits):
        value = nearest(settings, f"{PREFIX}{known.name}", jurisdiction).value
        if not isinstance(value, int):
            raise UnknownSetting(field="name", name=known.name, jurisdiction=jurisdiction)
        found[known.name] = value
    return Limits(**found)

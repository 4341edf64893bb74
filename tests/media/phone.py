"""A made-up capture of a made-up phone, for the tests of what phones sign."""

from typing import Any

import msgspec

from media import keys, manifest, tokens

SERVER = keys.ServerKey.from_seed(b"\7" * 32)
DEVICE = keys.DeviceKey.from_seed(b"a test phone")
NOW_MS = 1_790_000_000_000
NONCE = bytes(range(8))


def uuid7(number: int) -> str:
    return f"01890000-0000-7000-8000-{number:012x}"


def a_manifest(**changes: Any) -> manifest.Manifest:
    plain = manifest.Manifest(
        typ="mingcha.capture/1",
        alg="ES256",
        kid=DEVICE.kid,
        id=uuid7(1),
        dev=uuid7(2),
        inst_epoch="00112233445566aa",
        seq=1,
        prev=manifest.FIRST_PREV,
        asg=uuid7(3),
        asg_epoch=1,
        visit=uuid7(4),
        org=uuid7(5),
        plan="ab" * 32,
        item="TI-01",
        media=manifest.Media(
            sha256="cd" * 32, size=300_000, mime="image/jpeg", src="stream", w=1600, h=1200
        ),
        t=manifest.Times(
            wall=NOW_MS,
            mono=5000,
            session="00" * 8,
            tz_min=480,
            anchor=manifest.Anchor(
                srv=NOW_MS - 4000,
                mono=1000,
                rtt=80,
                tok=tokens.issue_time(SERVER, srv=NOW_MS - 4000, nonce=NONCE),
            ),
        ),
        loc=manifest.Location(
            st="ok", crs="wgs84", n=3, lat=366_500_000, lon=1_170_000_000, acc_cm=1200, age_ms=90
        ),
        chal=tokens.issue_challenge(SERVER, srv=NOW_MS - 9000, nonce=NONCE, asg=uuid7(3)),
        people=(uuid7(6), uuid7(7)),
        app=manifest.App(ver="0.1.0", build_sha256="ef" * 32, persisted=True),
        code="现场码-7",
        roll=manifest.Roll(roster="12" * 32, present=30, absent=2, count=31),
    )
    return msgspec.structs.replace(plain, **changes)

"""The presigner's arithmetic, against the example AWS publishes; the store's part is elsewhere."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from media import presign

NOW = datetime(2013, 5, 24, tzinfo=UTC)
EXAMPLE = presign.Endpoint(
    "https://examplebucket.s3.amazonaws.com",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
)


def test_the_published_example() -> None:
    url = presign.presign(
        EXAMPLE, "GET", "/test.txt", headers={}, query={}, now=NOW, expires_s=86400
    )
    signature = parse_qs(urlsplit(url).query)["X-Amz-Signature"]
    assert signature == ["aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"]


def test_a_put_pins_all_that_matters_and_lives_fifteen_minutes() -> None:
    signed = presign.put_object(
        EXAMPLE, "/b/k", size=3, mime="image/jpeg", sha256_hex="00" * 32, now=NOW
    )
    query = parse_qs(urlsplit(signed.url).query)
    assert query["X-Amz-SignedHeaders"] == [
        "content-length;content-type;host;if-none-match;x-amz-checksum-sha256"
    ]
    assert query["X-Amz-Expires"] == ["900"]
    assert signed.headers == {
        "content-type": "image/jpeg",
        "if-none-match": "*",
        "x-amz-checksum-sha256": "A" * 43 + "=",
    }


def test_a_part_pins_its_number_and_sum() -> None:
    signed = presign.put_part(
        EXAMPLE, "/b/k", upload_id="u", number=2, size=3, sha256_hex="00" * 32, now=NOW
    )
    query = parse_qs(urlsplit(signed.url).query)
    assert (query["partNumber"], query["uploadId"]) == (["2"], ["u"])
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]


def test_a_get_is_an_attachment_for_a_minute() -> None:
    signed = presign.get_object(
        EXAMPLE, "/b/k", version="v", filename='证 据".jpg', mime="image/jpeg", now=NOW
    )
    query = parse_qs(urlsplit(signed.url).query)
    assert query["response-content-disposition"] == [
        "attachment; filename*=UTF-8''%E8%AF%81%20%E6%8D%AE%22.jpg"
    ]
    assert query["X-Amz-Expires"] == ["60"]
    assert query["versionId"] == ["v"]


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://s3.example", "s3.example"),
        ("https://s3.example:443", "s3.example"),
        ("http://s3.example:80/", "s3.example"),
        ("https://s3.example:8443", "s3.example:8443"),
        ("http://[::1]:8333", "[::1]:8333"),
    ],
)
def test_the_host_is_signed_as_a_browser_sends_it(base: str, host: str) -> None:
    assert presign.Endpoint(base, "a", "s").host() == host


def test_secrets_and_addresses_stay_out_of_a_repr() -> None:
    signed = presign.get_object(
        EXAMPLE, "/b/k", version=None, filename="a", mime="image/jpeg", now=NOW
    )
    assert "Signature" not in repr(signed)
    assert EXAMPLE.secret_key not in repr(EXAMPLE)

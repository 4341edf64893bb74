"""The scanner's word, and what is said when there is none."""

import pytest

from media.scanner import Scanned, Scanner
from tests.media import clamd

CHUNKS = [b"a" * 1000, b"b" * 70_000, b""]


def test_a_clean_file_and_a_known_one() -> None:
    with clamd.running() as served:
        scanner = Scanner(served.address)
        assert scanner.scan(filter(None, CHUNKS)) == Scanned("clean")
        infected = [b"x" * 500, clamd.SIGNATURE, b"y"]
        assert scanner.scan(infected) == Scanned("found", clamd.NAME)
        assert served.seen == [71_000, 501 + len(clamd.SIGNATURE)]


def test_a_file_above_the_scanners_limit_is_said_to_be_unscanned() -> None:
    with clamd.running() as served:
        many = (bytes(100_000) for _ in range(200))
        said = Scanner(served.address).scan(many)
    assert said.state == "not_scanned"
    assert "size limit" in said.detail or "unavailable" in said.detail


@pytest.mark.parametrize("address", ["", "127.0.0.1:1", "unix:/nonexistent/clamd.sock"])
def test_no_scanner_is_no_clean_bill(address: str) -> None:
    said = Scanner(address, wait_s=1).scan([b"x"])
    assert said.state == "not_scanned"
    assert said.detail == ("no_scanner" if not address else said.detail)


def test_a_scanner_that_says_nothing_is_not_believed() -> None:
    with clamd.running(mute=True) as served:
        assert Scanner(served.address, wait_s=5).scan([b"x"]).state == "not_scanned"

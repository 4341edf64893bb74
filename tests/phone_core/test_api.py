"""The phone's types of the API are those of the app as it is."""

from tests.phone_core import make_api


def test_the_types_are_made_of_todays_api() -> None:
    written = make_api.FILE.read_text("utf-8")
    assert written == make_api.types(), "python -m tests.phone_core.make_api"

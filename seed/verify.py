"""Ask the served product for every printed number, with the printed logins, over real HTTP."""

from typing import Any

import httpx

from seed.report import PUBLIC, Line, Report
from seed.stage import Stuck

PAGE = 200


class Differs(Exception):  # noqa: N818 - a sentence for whoever plays the year
    """A printed number is not what the API answers."""


class Reader:
    """HTTP with a token a login."""

    def __init__(self, http: httpx.Client, password: str) -> None:
        self.http = http
        self.password = password
        self.headers: dict[str, dict[str, str]] = {PUBLIC: {}}

    def sign_in(self, login: str) -> None:
        """Get a token; raises Stuck when the printed login is refused."""
        body = {"login": login, "password": self.password}
        answer = self.http.post("/api/v1/sessions", json=body)
        if answer.status_code != httpx.codes.CREATED:
            raise Stuck(f"{login} cannot sign in: {answer.status_code} {answer.text[:200]}")
        self.headers[login] = {"Authorization": f"Bearer {answer.json()['access']}"}

    def read(self, path: str, who: str) -> Any:  # noqa: ANN401 - JSON
        """The JSON at a path; raises Stuck for any other answer than 200."""
        if who not in self.headers:
            self.sign_in(who)
        answer = self.http.get(path, headers=self.headers[who])
        if answer.status_code != httpx.codes.OK:
            raise Stuck(f"GET {path} as {who}: {answer.status_code} {answer.text[:200]}")
        return answer.json()

    def number(self, line: Line, who: str) -> int:
        """What the API says where the line points."""
        if "{each}" not in line.path:
            return pick(self.read(line.path, who), line.pick)
        visits = self.read(f"/api/v1/visits?limit={PAGE}", who)["visits"]
        paths = [line.path.format(each=visit["id"]) for visit in visits]
        return sum(pick(self.read(path, who), line.pick) for path in paths)


def pick(answer: Any, path: str) -> int:  # noqa: ANN401 - JSON
    """The number at a dotted path; ``#`` is a length, a state nobody is in counts 0."""
    for step in path.split("."):
        answer = len(answer) if step == "#" else answer.get(step, 0)
    return int(answer)


def verify(report: Report, origin: str) -> int:
    """Compare every number and try every login; how many numbers were compared.

    Raises: Differs, Stuck.
    """
    compared = 0
    with httpx.Client(base_url=origin, timeout=30, trust_env=False) as http:
        reader = Reader(http, report.password)
        for access in report.logins:
            reader.sign_in(access.login)
        for line in report.lines:
            for who, printed in line.numbers.items():
                found = reader.number(line, who)
                if found != printed:
                    raise Differs(f"{line.name}: printed {printed}, {line.path} says {found}")
                compared += 1
    return compared

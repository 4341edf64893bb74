"""Why the embedded servers do not run: exceptions with one sentence in English and in Chinese."""

import json
from functools import cache
from pathlib import Path
from typing import ClassVar


class Sentence(dict[str, str]):
    """One text in ``en`` and ``zh``."""

    def filled(self, **facts: object) -> "Sentence":
        """The same text with its facts put in."""
        return Sentence({tongue: text.format(**facts) for tongue, text in self.items()})


@cache
def _texts() -> dict[str, dict[str, dict[str, str]]]:
    loaded: dict[str, dict[str, dict[str, str]]] = json.loads(
        Path(__file__).with_name("texts.json").read_text("utf-8")
    )
    return loaded


def sentence(kind: str, key: str, **facts: object) -> Sentence:
    """The text ``key`` of a kind: refusals, notices or lines."""
    return Sentence(_texts()[kind][key]).filled(**facts)


class EmbeddedRefusal(Exception):  # noqa: N818 - a sentence for the operator, not a programming fault
    """Root of what ``start`` refuses; ``str()`` gives both sentences, ``key`` names the text."""

    code: ClassVar[str] = "embedded.refused"

    def __init__(self, key: str, **facts: object) -> None:
        said = sentence("refusals", key, **facts)
        super().__init__(f"{said['en']} / {said['zh']}")
        self.key = key
        self.facts = facts
        self.en = said["en"]
        self.zh = said["zh"]


class PartMissing(EmbeddedRefusal):
    """A program that the installation should bring is not there or cannot be run."""

    code = "embedded.part_missing"


class AlreadyRunning(EmbeddedRefusal):
    """The same data are in use by another start, or by a server that outlived one."""

    code = "embedded.already_running"


class StartFailed(EmbeddedRefusal):
    """A server ended or stayed silent while starting; the text has the end of its log."""

    code = "embedded.start_failed"


class EvidenceModeRefused(EmbeddedRefusal):
    """The self-check found an open door of the store (evidence-and-sync 6)."""

    code = "embedded.evidence_mode_refused"

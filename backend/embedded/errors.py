"""Why the embedded servers do not run: exceptions with one sentence in English and in Chinese."""

from typing import ClassVar


class EmbeddedRefusal(Exception):  # noqa: N818 - a sentence for the operator, not a programming fault
    """Root of what ``start`` and ``stop`` refuse; ``str()`` gives both sentences."""

    code: ClassVar[str] = "embedded.refused"

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(f"{en} / {zh}")
        self.en = en
        self.zh = zh


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

"""Pictures become previews in a limited child process; this side never decodes a byte.

Source: evidence-and-sync 7, 12.4.  Starting the child costs 0.2 s, so one child serves pictures
in turn; it is replaced after ``PICTURES`` of them, and at once when it ends or must be ended.
"""

import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Self, cast

import msgspec

from media import kinds, previews, stills
from media.errors import MediaRefusal
from media.renderings import Order

WALL_SECONDS = 20.0
# Where nobody waits, a busy machine is no verdict on a picture: the child steps behind everybody
# and may get a hundredth of a processor. What a picture may cost is CPU time, its own limit.
PATIENT_SECONDS = 120.0
START_SECONDS = 30.0
LEAVE_SECONDS = 2.0
PICTURES = 200
ROOT = Path(__file__).resolve().parent.parent


class _Child:
    """One child process with its two pipes; ``late`` says that its time ran out."""

    decoder: ClassVar[msgspec.json.Decoder[previews.Answer]] = msgspec.json.Decoder(
        previews.Answer
    )

    def __init__(self) -> None:
        self.pictures = 0
        self.late = False
        # -s and -P: only our own code and the environment's packages; no variable of ours, hence
        # no secret, is handed down.
        self._process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", "media.imaging"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            cwd="/",
        )

    def start(self) -> None:
        timer = self._timer(START_SECONDS)
        try:
            ready = isinstance(self._answer(), previews.Ready)
        except (EOFError, msgspec.DecodeError):
            ready = False
        finally:
            timer.cancel()
        if not ready:
            self.end()
            raise previews.ImagingUnavailable(reason="start")

    def ask(
        self, ask: previews.Ask, raw: bytes, *, wall_s: float
    ) -> previews.Developed | previews.Rendered:
        timer = self._timer(wall_s)
        try:
            previews.send(self._pipe(self._process.stdin), ask, raw)
            answer = self._answer()
            if isinstance(answer, previews.Made) and ask.order is None:
                return self._developed(answer)
            if isinstance(answer, previews.Drawn) and ask.order is not None:
                return self._rendered(answer)
            if isinstance(answer, previews.Refused):
                raise _refusal(answer)
            # A second greeting is no answer.
            raise EOFError
        finally:
            timer.cancel()
            self.pictures += 1

    def end(self) -> int | None:
        """End the child; its exit status, or None when it had to be killed here.

        A child leaves by itself when its input closes, and one that is dying keeps its own status.
        """
        for pipe in (self._process.stdin, self._process.stdout):
            # Closing flushes what a dead reader never took.
            with suppress(OSError):
                self._pipe(pipe).close()
        try:
            return self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return None

    def _timer(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        return timer

    def _expire(self) -> None:
        self.late = True
        self._process.kill()

    def _answer(self) -> previews.Answer:
        return self.decoder.decode(previews.receive_head(self._pipe(self._process.stdout)))

    def _developed(self, made: previews.Made) -> previews.Developed:
        pipe = self._pipe(self._process.stdout)
        preview = _bare(previews.receive(pipe, made.preview_bytes))
        thumb = _bare(previews.receive(pipe, made.thumb_bytes))
        return previews.Developed(
            width=made.width,
            height=made.height,
            exif=made.exif,
            recipe=made.recipe,
            preview=preview,
            thumb=thumb,
            likeness=made.likeness,
            place=made.place,
        )

    def _rendered(self, drawn: previews.Drawn) -> previews.Rendered:
        picture = _bare(previews.receive(self._pipe(self._process.stdout), drawn.picture_bytes))
        return previews.Rendered(drawn.width, drawn.height, drawn.quality, drawn.lib, picture)

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        return cast("IO[bytes]", pipe)  # None only for a child started without pipes


class Darkroom:
    """Makes previews, one picture at a time; threads wait for each other.  Close it at the end."""

    def __init__(self, *, wall_s: float = WALL_SECONDS, pictures: int = PICTURES) -> None:
        self._wall_s = wall_s
        self._pictures = pictures
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def develop(self, mime: str, raw: bytes) -> previews.Developed:
        """Decode a whole JPEG, PNG or WebP and make its previews; blocks, so call it in a thread.

        Raises: TypeRefused, TooLarge, Bomb, NotDecodable, DecodeLimit ("media.…") about the
        picture; ImagingUnavailable ("imaging.unavailable") about this machine: try again later.
        Source: evidence-and-sync 7, 12.4.
        """
        return cast("previews.Developed", self._ask(previews.Ask(mime, len(raw)), raw))

    def render(self, mime: str, raw: bytes, order: Order) -> previews.Rendered:
        """Make the derivative that a person ordered of a whole picture; blocks like ``develop``.

        Raises: those of ``develop``.
        Source: evidence-and-sync 7 (redacted, annotated), 12.3 (watermark).
        """
        return cast("previews.Rendered", self._ask(previews.Ask(mime, len(raw), order), raw))

    def _ask(self, ask: previews.Ask, raw: bytes) -> previews.Developed | previews.Rendered:
        """What the child makes of one picture: previews, or a rendering if one is ordered."""
        if kinds.declare(ask.mime, len(raw)).group != "image":
            raise kinds.TypeRefused(field="mime", mime=ask.mime)
        kinds.check_magic(ask.mime, raw[: kinds.HEAD_BYTES])
        with self._lock:
            child = self._ready()
            try:
                return child.ask(ask, raw, wall_s=self._wall_s)
            except (EOFError, OSError, msgspec.DecodeError):
                raise self._ended(child) from None

    def close(self) -> None:
        """End the child; a later picture starts another."""
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None

    def _ready(self) -> _Child:
        if self._child is not None and self._child.pictures >= self._pictures:
            self._child.end()
            self._child = None
        if self._child is None:
            child = _Child()
            child.start()
            self._child = child
        return self._child

    def _ended(self, child: _Child) -> MediaRefusal:
        """Say why a child gave no answer: its own limits, the machine, or the picture."""
        self._child = None
        late, status = child.late, child.end()
        if late or status == -signal.SIGXCPU:
            return previews.DecodeLimit(reason="time")
        # Nobody but the operating system's memory keeper kills it from outside: no verdict.
        if status == -signal.SIGKILL:
            return previews.ImagingUnavailable(reason="killed")
        return previews.NotDecodable(reason="decoder_crashed", status=status)


def _bare(picture: bytes) -> bytes:
    """A picture as the child gave it, if it is one and nothing else.

    Hostile bytes may have taken the child over: what it hands out is not believed, it is read.
    Raises: EOFError, which ends the child.
    """
    try:
        kinds.check_magic("image/jpeg", picture[: kinds.HEAD_BYTES])
        if not stills.beyond_picture(picture):
            return picture
    except MediaRefusal:
        pass
    raise EOFError


def _refusal(refused: previews.Refused) -> MediaRefusal:
    if refused.reason == "bomb":
        return previews.Bomb(detail=refused.detail)
    if refused.reason == "memory":
        return previews.DecodeLimit(reason="memory")
    return previews.NotDecodable(detail=refused.detail)

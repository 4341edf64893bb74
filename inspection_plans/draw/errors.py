"""The one refusal of the draw; its codes are those of draw.md, sections 12 and 13, verbatim."""

from __future__ import annotations

# Code -> what it means, in the order in which draw.md section 12 names them; then those of
# `freezing`, which no reference question can meet.
CODES: dict[str, str] = {
    "E_TYPE": "a value of a kind that cannot be written canonically, or input of the wrong shape",
    "E_NUMBER": "a number outside its range",
    "E_KEY": "a key that is not [a-z0-9_]+, twice in one object, missing or unknown",
    "E_ID": "an id that is not text of 1 to 128 bytes",
    "E_CONTROL": "text with a control character",
    "E_SURROGATE": "text with half of a surrogate pair",
    "E_NFC": "text that is not in Unicode normal form C",
    "E_DUP_STRATUM": "the plan names a stratum twice",
    "E_DUP_ID": "the frame holds an id twice",
    "E_STRATUM": "a stratum that the plan does not know",
    "E_WEIGHT": "a weight that is not an integer from 1 to 2^32",
    "E_MUST_EXCL": "a row that must be drawn and is excluded",
    "E_RATIO": "a ratio that is missing, misspelt or not between 0 and 1",
    "E_MODE": "an unknown mode or base, a missing total, or a number of the plan out of range",
    "E_DUP_VISIT": "a visit twice",
    "E_DUP_INSPECTOR": "an inspector twice",
    "E_BLOCK_REF": "a blocked pair that names an unknown visit or inspector",
    "E_TEAM_SIZE": "a team size that is not an integer of at least 2",
    "E_DAYS": "days that are not sorted ISO dates without repetition, or none at all",
    "E_OP": "an unknown question",
    "E_ALG": "an unknown digest; sha256 and sm3 are known",
    "E_EMPTY": "a frame in which nobody can be drawn, or nobody can be sent",
    "E_LICENCE": "an inspector without a licence valid to the last day of the visits",
}


class DrawRefusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The input breaks a rule of `ssj1`; nothing was drawn.

    Same shape as `RuleRefusal` (``code``, ``family``, ``field``, ``facts``), but without its
    module, so that the single-file verifier runs on Python 3.8.
    """

    family = "invalid"

    def __init__(self, code: str, field: str | None = None, **facts: object) -> None:
        super().__init__(code, field, facts)
        self.code = code
        self.field = field
        self.facts = facts

    def __str__(self) -> str:
        place = f" in {self.field}" if self.field else ""
        return f"{self.code}: {CODES[self.code]}{place}"

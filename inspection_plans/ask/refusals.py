"""What can be wrong with a question: each a class with a stable code, all status 422."""

from typing import ClassVar

from inspection_plans.errors import RuleRefusal


class QuestionRefusal(RuleRefusal):
    """A question that cannot be answered; ``facts["message"]`` says why, ``field`` where."""

    code: ClassVar[str] = "question.refused"

    def __init__(self, message: str, *, field: str | None = None, **facts: object) -> None:
        super().__init__(field=field, message=message, **facts)

    @property
    def message(self) -> str:
        """What is wrong, in English, for the person who wrote the question."""
        return str(self.facts["message"])


class Unreadable(QuestionRefusal):
    """The line is no JSON object, or says a key twice."""

    code: ClassVar[str] = "question.unreadable"


class UnknownQuestion(QuestionRefusal):
    """Nothing answers to this name in ``ask``."""

    code: ClassVar[str] = "question.unknown"


class MissingField(QuestionRefusal):
    """A field that the answer depends on is not there."""

    code: ClassVar[str] = "question.missing_field"


class UnknownField(QuestionRefusal):
    """A field that this question does not have."""

    code: ClassVar[str] = "question.unknown_field"


class WrongField(QuestionRefusal):
    """A field of the wrong type or form: no such day, a negative number, a float."""

    code: ClassVar[str] = "question.wrong_field"


class UnknownWord(QuestionRefusal):
    """A word outside a closed list: no such sheet, concept, level or place."""

    code: ClassVar[str] = "question.unknown_value"


class NotInForce(QuestionRefusal):
    """No paper in force at the place on the day says anything about it."""

    code: ClassVar[str] = "question.not_in_force"


class TooMany(QuestionRefusal):
    """More questions at once than are answered at once."""

    code: ClassVar[str] = "question.too_many"

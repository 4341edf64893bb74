"""Refusals of an import: of a whole file, and of one cell with what is wrong in it."""

from typing import ClassVar

from backend.services.errors import ServiceRefusal
from inspection_plans.errors import Family


class EmptyFile(ServiceRefusal):
    """The file has no bytes, or no row below its headings."""

    code: ClassVar[str] = "import.empty"
    family: ClassVar[Family] = Family.INVALID


class Unreadable(ServiceRefusal):
    """The file is neither an XLSX workbook nor CSV text."""

    code: ClassVar[str] = "import.unreadable"
    family: ClassVar[Family] = Family.INVALID


class TooHeavy(ServiceRefusal):
    """Reading the file took more memory or time, or unpacks to more, than a directory needs."""

    code: ClassVar[str] = "import.too_heavy"
    family: ClassVar[Family] = Family.INVALID


class TooLong(ServiceRefusal):
    """The file has more rows, columns or characters in a cell than are taken at once."""

    code: ClassVar[str] = "import.too_long"
    family: ClassVar[Family] = Family.INVALID


class WrongColumns(ServiceRefusal):
    """Headings are missing, unknown or stand twice; facts name them."""

    code: ClassVar[str] = "import.columns"
    family: ClassVar[Family] = Family.INVALID


class ImportRefused(ServiceRefusal):
    """Some cells are wrong; facts name the stored run and the cells, nothing was changed."""

    code: ClassVar[str] = "import.refused"
    family: ClassVar[Family] = Family.INVALID


class CellRefusal(ServiceRefusal):
    """Root of what can be wrong in one cell; ``field`` is the column's key."""

    code: ClassVar[str] = "cell.refused"
    family: ClassVar[Family] = Family.INVALID


class CellEmpty(CellRefusal):
    """A required cell is blank."""

    code: ClassVar[str] = "cell.required"


class CellTooLong(CellRefusal):
    """The text is longer than the column holds."""

    code: ClassVar[str] = "cell.too_long"


class ControlCharacter(CellRefusal):
    """The text holds a line break or another control character."""

    code: ClassVar[str] = "cell.control_character"


class FullWidth(CellRefusal):
    """Letters or digits are full-width; ``expected`` is the half-width form."""

    code: ClassVar[str] = "cell.full_width"


class WrongCreditCode(CellRefusal):
    """Not eighteen characters of a credit code, or its last one does not fit (GB 32100)."""

    code: ClassVar[str] = "cell.credit_code"


class WrongChoice(CellRefusal):
    """None of the values the column knows; facts list them."""

    code: ClassVar[str] = "cell.choice"


class WrongForm(CellRefusal):
    """Not of the form the column wants; ``expected`` is the form."""

    code: ClassVar[str] = "cell.form"


class OutOfRange(CellRefusal):
    """A number outside its bounds; facts give them."""

    code: ClassVar[str] = "cell.range"


class UnknownRegion(CellRefusal):
    """No region has this code, or it is no longer valid."""

    code: ClassVar[str] = "cell.region_unknown"


class ForeignRegion(CellRefusal):
    """The region is not one of the importing office's."""

    code: ClassVar[str] = "cell.region_foreign"


class UnknownOwner(CellRefusal):
    """The institution, inspector or class that the row belongs to is not in the directory."""

    code: ClassVar[str] = "cell.owner_unknown"


class AmbiguousOwner(CellRefusal):
    """Several regions list this credit code; the region column must say which is meant."""

    code: ClassVar[str] = "cell.owner_ambiguous"


class DuplicateRow(CellRefusal):
    """An earlier row of the file has the same key; ``first_row`` is its number."""

    code: ClassVar[str] = "cell.duplicate"


class Taken(CellRefusal):
    """Another entry already has this number."""

    code: ClassVar[str] = "cell.taken"


class LicenceExpired(CellRefusal):
    """The licence 执法证 ended before today."""

    code: ClassVar[str] = "cell.licence_expired"


class WrongOrder(CellRefusal):
    """The end lies before its beginning."""

    code: ClassVar[str] = "cell.order"


class TermTooLong(CellRefusal):
    """The entry would be valid for longer than the notice's term; ``until`` is its last day."""

    code: ClassVar[str] = "cell.term"


class OutsideClass(CellRefusal):
    """The session's day is outside the days of its class."""

    code: ClassVar[str] = "cell.outside_class"


class HalfPosition(CellRefusal):
    """Latitude, longitude and datum come together or not at all."""

    code: ClassVar[str] = "cell.position"


class Barred(CellRefusal):
    """A bad record bars the institution on the day the class starts; ``record`` is its id."""

    code: ClassVar[str] = "cell.barred"

"""Rows of the directories' files: good ones, unless a keyword says otherwise."""

from backend.services import credit_code

Cells = dict[str, str]


def a_credit_code(number: int = 1) -> str:
    """A well-formed code that no register has issued: registration department Y, category Y."""
    return credit_code.complete(f"YY370000{number:09d}")


def an_institution(number: int = 1, **cells: str) -> Cells:
    return {
        "credit_code": a_credit_code(number),
        "name": f"虚构培训机构{number}",
        "kinds": "培训机构;评价机构",
        "home_region": "370000",
        "risk_class": "B",
        "latitude": "37.5130123",
        "longitude": "122.1200456",
        "crs": "gcj02",
        "address": "威海市虚构路1号",
        "fictional": "是",
    } | cells


def a_catalogue_entry(number: int = 1, **cells: str) -> Cells:
    return {
        "credit_code": a_credit_code(number),
        "kind": "培训机构",
        "occupation": "大数据",
        "levels": "初级;中级",
        "listed_on": "2024-05-01",
        "source_notice": "虚构公告第1号",
    } | cells


def an_inspector(number: int = 1, **cells: str) -> Cells:
    return {
        "staff_code": f"S{number:03d}",
        "name": f"虚构检查员{number}",
        "department": "职业能力建设处",
        "unit": "虚构人社厅",
        "licence_no": f"37-{number:05d}",
        "licence_until": "2027-12-31",
        "lead": "是",
        "skills": "财务;教学",
        "areas": "370100;371000",
        "cap": "6",
    } | cells


def a_relation(number: int = 1, **cells: str) -> Cells:
    return {
        "licence_no": f"37-{number:05d}",
        "credit_code": a_credit_code(number),
        "ground": "近三年曾在该机构任职",
        "declared_on": "2026-01-05",
    } | cells


def a_class(number: int = 1, **cells: str) -> Cells:
    return {
        "credit_code": a_credit_code(number),
        "code": f"C{number:03d}",
        "title": f"大数据初级{number}班",
        "occupation": "big-data",
        "level": "初级",
        "mode": "线上线下结合",
        "venue_region": "371000",
        "venue": "威海市虚构路1号3楼",
        "teacher": "虚构教师",
        "starts_on": "2026-03-01",
        "ends_on": "2026-03-31",
        "status": "在训",
    } | cells


def a_session(number: int = 1, **cells: str) -> Cells:
    return {
        "credit_code": a_credit_code(number),
        "class_code": f"C{number:03d}",
        "code": "L01",
        "on_date": "2026-03-05",
        "starts": "09:00",
        "ends": "11:30",
        "mode": "线下",
    } | cells


def a_trainee(number: int = 1, roster_no: int = 1, **cells: str) -> Cells:
    return {
        "credit_code": a_credit_code(number),
        "class_code": f"C{number:03d}",
        "roster_no": str(roster_no),
        "name": f"虚构学员{roster_no}",
        "id_tail": f"{roster_no:03d}X",
    } | cells


def an_item(number: int = 1, **cells: str) -> Cells:
    return {
        "code": f"I{number:02d}",
        "title": "数字技术工程师培育项目培训行为检查",
        "law_basis": "虚构条例第一条",
        "competent_authority": "虚构人社厅",
        "object_kind": "培训机构",
        "way": "现场检查",
        "ratio": "5%",
        "frequency_cap": "2",
    } | cells


ONE_OF_EACH: dict[str, list[Cells]] = {
    "institutions": [an_institution()],
    "catalogue": [a_catalogue_entry()],
    "inspectors": [an_inspector()],
    "relations": [a_relation()],
    "classes": [a_class()],
    "sessions": [a_session()],
    "rosters": [a_trainee()],
    "items": [an_item()],
}

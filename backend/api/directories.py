"""Directories: regions, occupations, institutions, inspectors, classes and their versions."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar.params import FromPath, PathParameter, QueryParameter

from backend.api import imports
from backend.api.routes import get
from backend.services import classes, directories, occupations, regions, risk, versions
from backend.services.act import Act
from backend.services.occupations import Occupation
from backend.services.records.directories import (
    CatalogueEntry,
    ClassSession,
    InspectionItem,
    Inspector,
    InspectorRelation,
    Institution,
    Trainee,
    TrainingClass,
    Version,
)
from backend.services.regions import Region

After = Annotated[UUID | None, QueryParameter(name="after")]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=200)]
Search = Annotated[str, QueryParameter(name="search", max_length=120, pattern=r"^[^\x00]*$")]
InstitutionKind = Literal[
    "training",
    "evaluation",
    "unlisted_operator",
    "partner",
    "brand",
    "lender",
    "venue",
    "employer",
]


@get("/api/v1/regions", action="rules.read")
async def region_page(
    act: Act,
    parent: Annotated[int | None, QueryParameter(name="parent", ge=100_000, le=999_999)] = None,
) -> tuple[Region, ...]:
    """The regions right under one; without ``parent`` the nation."""
    return await regions.regions(parent, act=act)


@get("/api/v1/regions/{code:int}", action="rules.read")
async def region_one(
    code: Annotated[int, PathParameter(ge=100_000, le=999_999)], act: Act
) -> Region:
    """One region with the years in which its code is valid."""
    return await regions.region(code, act=act)


@get("/api/v1/occupations", action="rules.read")
async def occupation_list(act: Act) -> tuple[Occupation, ...]:
    """The occupations and their levels, each with the clause that names it."""
    return await occupations.occupations(act=act)


@get("/api/v1/own/institution", action="institution.own")
async def own_institution(act: Act) -> Institution:
    """The institution the caller belongs to."""
    return await directories.own_institution(act=act)


@get("/api/v1/institutions", action="directories.read")
async def institution_page(
    act: Act,
    kind: Annotated[InstitutionKind | None, QueryParameter(name="kind")] = None,
    status: Annotated[directories.Status | None, QueryParameter(name="status")] = None,
    search: Search = "",
    after: After = None,
    limit: Limit = 50,
) -> tuple[Institution, ...]:
    """Institutions, newest first; ``after`` is the last id of the page before."""
    return await directories.institutions(
        act=act, after=after, limit=limit, kind=kind, status=status, search=search
    )


@get("/api/v1/institutions/{institution_id:uuid}", action="directories.read")
async def institution_one(institution_id: FromPath[UUID], act: Act) -> Institution:
    """One institution."""
    return await directories.institution(institution_id, act=act)


@get("/api/v1/institutions/{institution_id:uuid}/risk", action="findings.read")
async def institution_risk(institution_id: FromPath[UUID], act: Act) -> risk.Standing:
    """The risk class as recorded, and what the facts come to today, factor by factor."""
    return await risk.standing(institution_id, act=act)


@get("/api/v1/institutions/{institution_id:uuid}/catalogue", action="directories.read")
async def institution_catalogue(
    institution_id: FromPath[UUID], act: Act
) -> tuple[CatalogueEntry, ...]:
    """What the institution is listed for, the latest first."""
    return await directories.catalogue(institution_id, act=act)


@get("/api/v1/inspectors", action="inspectors.read")
async def inspector_page(
    act: Act, search: Search = "", after: After = None, limit: Limit = 50
) -> tuple[Inspector, ...]:
    """Inspectors, newest first; ``after`` is the last id of the page before."""
    return await directories.inspectors(act=act, after=after, limit=limit, search=search)


@get("/api/v1/inspectors/{inspector_id:uuid}", action="inspectors.read")
async def inspector_one(inspector_id: FromPath[UUID], act: Act) -> Inspector:
    """One inspector."""
    return await directories.inspector(inspector_id, act=act)


@get("/api/v1/inspectors/{inspector_id:uuid}/relations", action="inspectors.read")
async def inspector_relations(
    inspector_id: FromPath[UUID], act: Act
) -> tuple[InspectorRelation, ...]:
    """Declared relations of an inspector, the latest first."""
    return await directories.relations(inspector_id, act=act)


@get("/api/v1/items", action="directories.read")
async def item_page(
    act: Act, after: After = None, limit: Limit = 50
) -> tuple[InspectionItem, ...]:
    """What the office has published that it inspects, newest first."""
    return await directories.items(act=act, after=after, limit=limit)


@get("/api/v1/classes", action="directories.read")
async def class_page(
    act: Act,
    institution: Annotated[UUID | None, QueryParameter(name="institution")] = None,
    status: Annotated[classes.Status | None, QueryParameter(name="status")] = None,
    after: After = None,
    limit: Limit = 50,
) -> tuple[TrainingClass, ...]:
    """Classes, newest first; ``after`` is the last id of the page before."""
    return await classes.classes(
        act=act, after=after, limit=limit, institution=institution, status=status
    )


@get("/api/v1/classes/{class_id:uuid}", action="directories.read")
async def class_one(class_id: FromPath[UUID], act: Act) -> TrainingClass:
    """One class."""
    return await classes.training_class(class_id, act=act)


@get("/api/v1/classes/{class_id:uuid}/sessions", action="directories.read")
async def class_sessions(class_id: FromPath[UUID], act: Act) -> tuple[ClassSession, ...]:
    """The schedule of a class in order of time."""
    return await classes.sessions(class_id, act=act)


@get("/api/v1/classes/{class_id:uuid}/roster", action="directories.read")
async def class_roster(class_id: FromPath[UUID], act: Act) -> tuple[Trainee, ...]:
    """The roster of a class in order of its numbers."""
    return await classes.roster(class_id, act=act)


VersionKind = Annotated[str, PathParameter(max_length=40, pattern=r"^[a-z_]+$")]


@get("/api/v1/versions/{kind:str}/{subject:uuid}", action="directories.read")
async def version_page(
    kind: VersionKind,
    subject: FromPath[UUID],
    act: Act,
    before: Annotated[int | None, QueryParameter(name="before", ge=1, le=2**31 - 1)] = None,
    limit: Limit = 50,
) -> tuple[Version, ...]:
    """The versions of one thing, newest first; ``before`` is the last ``rev`` seen."""
    return await versions.versions(kind, subject, act=act, before=before, limit=limit)


@get("/api/v1/versions/{kind:str}/{subject:uuid}/on/{day:date}", action="directories.read")
async def version_on(
    kind: VersionKind, subject: FromPath[UUID], day: FromPath[date], act: Act
) -> Version:
    """What was true of one thing at the end of a day in Shanghai."""
    return await versions.on_day(kind, subject, day, act=act)


HANDLERS = [
    region_page,
    region_one,
    occupation_list,
    own_institution,
    institution_page,
    institution_one,
    institution_risk,
    institution_catalogue,
    inspector_page,
    inspector_one,
    inspector_relations,
    item_page,
    class_page,
    class_one,
    class_sessions,
    class_roster,
    version_page,
    version_on,
    *imports.HANDLERS,
]

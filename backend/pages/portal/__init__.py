"""Pages of an institution 机构门户: its papers, its answers, its filings, its own record."""

from backend.pages.portal import filings, home, notices, record

MODULES = (home, notices, filings, record)

"""Directories come in: XLSX, CSV or rows, checked cell by cell, taken whole or not at all."""

from backend.services.imports.run import import_run, run, runs, take
from backend.services.imports.sheets import kinds

__all__ = ["import_run", "kinds", "run", "runs", "take"]

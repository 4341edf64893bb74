"""Fixtures of the pages' tests: the supervisor of the services' tests."""

from tests.backend.conftest import desk, rules

__all__ = ["desk", "rules"]

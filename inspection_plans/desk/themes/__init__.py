"""Judgements of the desk rules, one module a theme; see the docstring of ``desk``."""

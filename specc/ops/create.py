"""Placeholder."""

OPERATORS = ()

"""Throughline: one person and one company along the whole line, and where they are stuck."""

__version__ = "0.1.0"

"""Throughline: a CRM from first visit to renewal."""

__version__ = "0.1.0"

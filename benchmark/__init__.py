"""A reproducible benchmark harness for efficient video recognition."""

__version__ = "0.1.0"

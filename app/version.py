"""The one place of the version: the package, the executable and the wheel take it from here."""

__version__ = "0.1.0"

"""The measuring part of an engine: its commands, its tests and its responder."""

"""Verified transfer of messages through a ring between two peers."""

"""Ranges of bytes that are tinted, marked, labelled and explained."""

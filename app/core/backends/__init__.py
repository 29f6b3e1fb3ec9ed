"""The kinds of memory that can be mapped: one module for each, all of which make a Region."""

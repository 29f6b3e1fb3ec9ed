"""What can be mapped: one module for each kind of memory, all of them makers of a Region."""

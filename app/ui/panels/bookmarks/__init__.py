"""Named ranges of the region: a list with living values, and their place in the bytes."""

"""Finding bytes, text, values and strings in a region, and replacing what was found."""

"""What a flash test paints: a patch of its own, or the hex view."""

"""The centre of the window: the hex view with its bars and its minimap."""

"""The docks around the hex view, one file each."""

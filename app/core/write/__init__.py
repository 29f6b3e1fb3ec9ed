"""Writing on behalf of a person: compared before, kept for undo, read back afterwards."""

"""Writing on behalf of a person: compared, kept for undo, looked at afterwards."""

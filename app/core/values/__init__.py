"""Numbers, units, types and the texts that people type and copy."""

"""Test runs: what is known of one, their table, how they are saved and compared."""

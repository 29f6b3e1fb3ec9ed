"""The bytes at the cursor as values."""

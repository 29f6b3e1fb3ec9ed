"""What was found: hits and strings in lists that stay alive."""

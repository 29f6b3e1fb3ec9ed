"""Charts of test runs."""

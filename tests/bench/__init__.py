"""Speed, always as a ratio measured in one run: `python -m tests.bench`."""

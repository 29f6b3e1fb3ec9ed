"""The command line on real files in /dev/shm: every verb, and every way to go wrong."""

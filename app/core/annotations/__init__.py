"""What a person notes about a region: named ranges, kept beside it and exchanged as one file."""

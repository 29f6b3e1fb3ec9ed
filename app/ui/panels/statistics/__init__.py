"""Numbers, checksums and the histogram of what is selected."""

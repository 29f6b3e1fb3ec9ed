"""What changes in the region, as graphs and maps."""

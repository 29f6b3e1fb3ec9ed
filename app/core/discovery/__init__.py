"""Finding devices, and saying what stands in the way of each."""

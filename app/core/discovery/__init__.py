"""Finding devices, and the reasons why one cannot be opened."""

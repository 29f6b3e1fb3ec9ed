"""How the program starts, ends, and what is left when it ended badly."""

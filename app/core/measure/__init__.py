"""Measuring between two peers that find each other in a lane of the memory."""

"""The lane: where it lies, what is in it, who sits in it, and the bytes that were there before."""

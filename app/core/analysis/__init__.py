"""What a range of bytes is: numbers, checksums, a picture, a waveform, text."""

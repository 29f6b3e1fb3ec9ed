"""A range as what it is: a picture, a text, a waveform."""

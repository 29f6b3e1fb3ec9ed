"""The window. Draws Frames, asks the engine; touches no mapped memory itself."""

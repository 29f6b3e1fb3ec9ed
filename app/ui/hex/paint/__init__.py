"""How the hex view is drawn: geometry, cells, glyphs, rows."""

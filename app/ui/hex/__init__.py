"""The hex view: geometry, glyph painting, selection, editing."""

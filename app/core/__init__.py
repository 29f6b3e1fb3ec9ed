"""Everything but Qt: find, map, watch, change and measure shared memory."""

"""The command line's verbs: what the window can do to memory, without a window."""

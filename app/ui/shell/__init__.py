"""What stands around the views: actions, docks, toolbar, status bar, dialogs."""

"""What is kept on disk: settings, logs, and files that replace others whole."""

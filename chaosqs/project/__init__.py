"""What the command line and pytest share: settings, discovery, checks, replay."""

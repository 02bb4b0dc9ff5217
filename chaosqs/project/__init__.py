"""The parts shared by the command line and pytest: settings, discovery, checks, replay."""

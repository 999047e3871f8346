"""The application: the command line, objects from configurations, sweeps, a file a command."""

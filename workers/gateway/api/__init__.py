"""The HTTP API: thin routes over the use cases that the command line and Python stand on."""

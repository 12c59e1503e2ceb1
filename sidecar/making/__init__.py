"""One video into a file, for the command line: by the engine here, or by a service elsewhere."""

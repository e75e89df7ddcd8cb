"""The command line: thin commands that open the house, ask a service, and print what it says."""

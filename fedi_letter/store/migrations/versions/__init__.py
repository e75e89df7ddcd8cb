"""One module per step, numbered and named by what it is for."""

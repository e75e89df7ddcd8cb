"""The schema's history, one step per module; steps never import the package they migrate."""

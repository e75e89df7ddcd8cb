"""Everything that is promised, as tests; see the style sheet of each kind in its own folder."""

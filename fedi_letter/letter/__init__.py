"""What we believe: who signs a letter, by which acts, and how they take it back; pure."""

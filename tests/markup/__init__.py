"""Text on its way in and out."""

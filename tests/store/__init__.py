"""Every question the store answers, and every one it refuses, on both databases."""

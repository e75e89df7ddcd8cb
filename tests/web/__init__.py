"""What the web keeps and shares, apart from any letter."""

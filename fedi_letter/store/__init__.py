"""What we remember: tables, one function per question, and the one door to the database."""

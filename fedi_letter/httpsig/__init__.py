"""Who is speaking: HTTP signatures read, judged by one policy, and made. Pure but for new keys."""

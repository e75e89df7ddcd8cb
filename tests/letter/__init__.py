"""The letter's judgement, by tables of sentences, by stories and by properties."""

"""What happened to the bank's doors: one chain of events, added to and never changed."""

"""From a goal to a decision in force: requests, reviews, decisions, appeals."""

"""The best use of all findings at once, and where it leaves the learner (pure)."""

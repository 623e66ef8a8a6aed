"""The rule register: from a draft to a published version, and what is found in it."""

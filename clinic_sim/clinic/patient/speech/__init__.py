"""How a patient's words are heard: what they name, claim, deny and give away.

`words.review_words` is the way in; the modules here are its parts.
"""

"""The condition language: which records are meant, in words that people write (DESIGN 1.6).

`parse(text, entity)` gives a Condition; everything else hangs on that.
"""

"""The condition language: queries on records in words that people write (DESIGN 1.6).

The entry point is `parse(text, entity)`, which returns a Condition.
"""

from tests.owned import open_contact, team_contact

__all__ = ["open_contact", "team_contact"]

"""What may concern somebody."""

from crm.notifications import assigned, leads, mentioned  # noqa: F401

"""The guard over qualifying that asks for a score (source 002, Verb Lifecycle; DESIGN 1.1)."""

from crm.lifecycle.guards import ship_guard

ship_guard("contact", "qualify", "lead_score >= 40", "Lead score too low")

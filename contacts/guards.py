"""The guards that contacts ship with (source 002, Verb Lifecycle). The score's guard comes with the score."""

from crm.lifecycle.guards import ship_guard

ship_guard("contact", "qualify", "email is not empty", "Email required for qualification")

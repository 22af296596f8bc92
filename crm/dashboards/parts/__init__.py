"""The dashboard's cards, in display order."""

from crm.dashboards.parts import funnel, stuck, stages, losses, pipeline, forecast, team, scores  # isort: skip

__all__ = ["forecast", "funnel", "losses", "pipeline", "scores", "stages", "stuck", "team"]

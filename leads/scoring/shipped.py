"""The default scoring model (DESIGN 1.3): data, editable in the workbench."""

from typing import Any

from crm.kit.translation import gettext_lazy as _

NAME = "FleetCore v1"
HALF_LIFE = 30  # days
SECOND_TIER = "AT, AU, BE, BH, CA, CH, DK, ES, FI, IE, IT, JP, KW, NL, NO, OM, SE, SG"
RULES: dict[str, Any] = {
    "fit": [
        {
            "label": "Fleet size",  # not a text
            "cases": [
                {"when": "fleet_size >= 250", "points": 40},
                {"when": "fleet_size >= 100", "points": 34},
                {"when": "fleet_size >= 50", "points": 28},
                {"when": "fleet_size >= 25", "points": 20},
                {"when": "fleet_size >= 10", "points": 15},
                {"when": "fleet_size >= 5", "points": 10},
                {"when": "fleet_size >= 1", "points": 5},
            ],
        },
        {
            "label": "Country tier",  # not a text
            "cases": [
                {"when": "country in (AE, DE, FR, GB, QA, SA, US)", "points": 20},  # not a text
                {
                    "when": f"country in ({SECOND_TIER})",  # not a text
                    "points": 12,
                },
                {"when": "country is not empty", "points": 5},  # not a text
            ],
        },
    ],
    "engagement": {
        "demo_request": 40,
        "meeting_booked": 30,
        "email_reply": 20,
        "call_connected": 20,
        "form_submitted": 15,
        "pricing_viewed": 15,
        "webinar_attended": 15,
        "content_download": 10,
        "email_clicked": 5,
        "page_viewed": 2,
        "email_opened": 1,
        "unsubscribed": -30,
    },
    "weights": {"fit": 0.6, "engagement": 0.4},
    "thresholds": {"marketing_qualified": 40, "sales_qualified": 70},
}
LABELS = {"Fleet size": _("Fleet size"), "Country tier": _("Country tier")}  # not a text


def translated_rules() -> dict[str, Any]:
    """Return RULES with criteria named in the active language."""
    fit = [each | {"label": str(LABELS[each["label"]])} for each in RULES["fit"]]
    return RULES | {"fit": fit}

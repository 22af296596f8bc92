"""The amounts of a company's opportunities on its page: open and won, per currency, each with the list it sums."""

from urllib.parse import urlencode

from django.db.models import Count, Q, Sum
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from contacts.models import Company
from crm.opportunities.models import Opportunity
from crm.users.http import Request

OPEN, WON = Q(won_at__isnull=True, lost_at__isnull=True), Q(won_at__isnull=False)
# The same in the condition language.
LISTED = {"open": "won_at is empty AND lost_at is empty", "won": "won_at is not empty"}  # not a text


def amounts_panel(company: Company, request: Request) -> SafeString:
    """Show the sums of the opportunities that the member sees; nothing if there are none open or won."""
    found = Opportunity.objects.live().visible_to(request.actor).filter(company=company).order_by("currency")
    sums = found.values("currency").annotate(
        open=Sum("amount", filter=OPEN), won=Sum("amount", filter=WON), count=Count("pk", filter=OPEN | WON)
    )
    rows = [
        {"currency": row["currency"]} | {kind: (row[kind], _list(company, row["currency"], kind)) for kind in LISTED}
        for row in sums
        if row["count"]
    ]
    return render_to_string("opportunities/amounts.html", {"rows": rows})


def _list(company: Company, currency: str, kind: str) -> str:
    where = f"company = {company.public_id} AND currency = {currency} AND {LISTED[kind]}"
    return f"/opportunity?{urlencode({'view': 'all', 'where': where})}"

"""What the exports of other products call the fields and the statuses of a lead."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "external_id": ("ID", "Lead ID", "Record ID"),
    "name": ("Lead name", "Full name"),
    "first_name": ("Given name",),
    "last_name": ("Surname",),
    "email": ("Email", "Email address", "E-mail address"),
    "phone": ("Phone number", "Telephone", "Mobile", "Mobile phone"),
    "company_name": ("Company / Account", "Account name", "Account", "Organisation"),
    "status": ("Lead status",),
    "source": ("Lead source",),
    "description": ("Notes", "Comments"),
    "estimated_value": ("Opportunity amount", "Amount", "Value", "Expected revenue"),
    "currency": ("Lead currency", "Opportunity amount currency", "Currency ISO code"),
    "owner": ("Lead owner", "Owner email", "Assigned user", "Assigned user name", "Assigned to"),
    "contact": ("Contact ID", "Created contact", "Converted contact ID", "Contact email"),
    "created_at": ("Create date", "Created date", "Created on", "Date created"),
    "archived_at": ("Archived date", "Archived on"),
}

# Salesforce's and EspoCRM's words → ours.
STATUSES = {
    "open": "new",
    "open - not contacted": "new",
    "assigned": "new",
    "recycled": "new",
    "in process": "working",
    "contacted": "working",
    "nurturing": "working",
    "working - contacted": "working",
    "closed - converted": "converted",
    "closed - not converted": "lost",
    "unqualified": "lost",
    "dead": "lost",
}

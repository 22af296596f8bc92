"""Names of a lead's fields and statuses in other products' exports."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "external_id": ("ID", "Lead ID", "Record ID"),  # not a text
    "name": ("Lead name", "Full name"),  # not a text
    "first_name": ("Given name",),  # not a text
    "last_name": ("Surname",),
    "email": ("Email", "Email address", "E-mail address"),  # not a text
    "phone": ("Phone number", "Telephone", "Mobile", "Mobile phone"),  # not a text
    "company_name": ("Company / Account", "Account name", "Account", "Organisation"),  # not a text
    "status": ("Lead status",),  # not a text
    "source": ("Lead source",),  # not a text
    "description": ("Notes", "Comments"),
    "estimated_value": ("Opportunity amount", "Amount", "Value", "Expected revenue"),  # not a text
    "currency": ("Lead currency", "Opportunity amount currency", "Currency ISO code"),  # not a text
    "owner": ("Lead owner", "Owner email", "Assigned user", "Assigned user name", "Assigned to"),  # not a text
    "contact": ("Contact ID", "Created contact", "Converted contact ID", "Contact email"),  # not a text
    "created_at": ("Create date", "Created date", "Created on", "Date created"),  # not a text
    "archived_at": ("Archived date", "Archived on"),  # not a text
}

# Salesforce's and EspoCRM's words → ours.
STATUSES = {
    "open": "new",
    "open - not contacted": "new",  # not a text
    "assigned": "new",
    "recycled": "new",
    "in process": "working",  # not a text
    "contacted": "working",
    "nurturing": "working",
    "working - contacted": "working",
    "closed - converted": "converted",
    "closed - not converted": "lost",  # not a text
    "unqualified": "lost",
    "dead": "lost",
}

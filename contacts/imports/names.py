"""Names of our fields in other products' exports."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "external_id": ("ID", "Record ID", "Contact ID", "Lead ID", "Customer ID"),  # not a text
    "name": ("Full name", "Display name", "Contact name", "Lead name"),  # not a text
    "first_name": ("Given name", "Forename"),  # not a text
    "last_name": ("Family name", "Surname"),  # not a text
    "email": ("Email", "E-mail address", "E-mail 1 - Value", "Primary email"),  # not a text
    "email_2": ("E-mail 2 - Value", "Secondary email", "Alternate email", "Other email"),  # not a text
    "email_3": ("E-mail 3 - Value",),  # not a text
    "home_email": ("Personal email", "Private email"),  # not a text
    "work_email": ("Business email",),  # not a text
    "phone": ("Phone number", "Telephone", "Phone 1 - Value"),  # not a text
    "phone_2": ("Phone 2 - Value", "Secondary phone", "Other phone"),  # not a text
    "phone_3": ("Phone 3 - Value",),  # not a text
    "home_phone": ("Private phone",),  # not a text
    "work_phone": ("Business phone",),  # not a text
    "mobile": ("Mobile phone", "Mobile number", "Mobile phone number", "Cell", "Cell phone"),  # not a text
    "title": ("Position",),
    "company": (
        "Company name",  # not a text
        "Account",
        "Account name",  # not a text
        "Organisation",
        "Organization name",  # not a text
        "Employer",
    ),
    "company.industry": ("Industry",),
    "company.website": ("Company website",),  # not a text
    "company.domain": ("Company domain name",),  # not a text
    "company.employees": ("Number of employees",),  # not a text
    "company.country": ("Company country",),  # not a text
    "lifecycle_stage": ("Contact stage",),  # not a text
    "lifecycle_stage_since": ("Customer since", "Became a customer date", "Stage date"),  # not a text
    "source": ("Lead source", "Original source", "Contact source"),  # not a text
    "owner": ("Contact owner", "Lead owner", "Owner email", "Owner name", "Assigned to"),  # not a text
    "manager": ("Manager", "Manager email", "Reports to email"),  # not a text
    "created_at": ("Create date", "Created date", "Date created", "Created on", "Created time"),  # not a text
    "linkedin_url": ("LinkedIn URL", "LinkedIn profile"),  # not a text
    "twitter_handle": ("Twitter username",),  # not a text
    "notes": ("Note", "Description", "Comments"),  # not a text
}

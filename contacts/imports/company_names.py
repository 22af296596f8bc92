"""Names of a company's fields in other products' exports: HubSpot, Salesforce, Pipedrive, Zoho and others."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "external_id": ("ID", "Record ID", "Account ID", "Company ID", "Organization ID", "Organisation ID"),  # not a text
    "name": ("Company name", "Account name", "Organization name", "Organisation name"),  # not a text
    "domain": ("Company domain name", "Domain name", "Company domain"),  # not a text
    "website": ("Website URL", "Company website", "Organization website"),  # not a text
    "industry": ("Organization industry",),  # not a text
    "employees": (
        "Number of employees",  # not a text
        "No. of employees",  # not a text
        "Employee count",  # not a text
        "Organization employee count",  # not a text
    ),
    "phone": ("Phone number", "Main phone", "Telephone"),  # not a text
    "street": (
        "Street address",  # not a text
        "Billing street",  # not a text
        "Address line 1",  # not a text
        "Street/road name of address",  # not a text
        "Organization street/road name of address",  # not a text
        "Address",
    ),
    "street2": ("Street address 2", "Address line 2", "Street line 2"),  # not a text
    "postal_code": (
        "ZIP/postal code",  # not a text
        "Billing ZIP/postal code",  # not a text
        "Billing postal code",  # not a text
        "Billing code",  # not a text
        "ZIP/postal code of address",  # not a text
        "Organization ZIP/postal code of address",  # not a text
    ),
    "city": (
        "Town",
        "Billing city",  # not a text
        "City/town/village/locality of address",  # not a text
        "Organization city/town/village/locality of address",  # not a text
    ),
    "region": (
        "State/province",
        "Billing state",  # not a text
        "Billing state/province",  # not a text
        "State/county of address",  # not a text
        "Organization state/county of address",  # not a text
    ),
    "country": (
        "Country/region",
        "Billing country",  # not a text
        "Country of address",  # not a text
        "Organization country of address",  # not a text
    ),
    "description": ("About us", "Note", "Notes", "Comments"),  # not a text
    "parent": (
        "Parent account ID",  # not a text
        "Parent ID",  # not a text
        "Parent company ID",  # not a text
        "Parent organization",  # not a text
    ),
    "owner": (
        "Company owner",  # not a text
        "Account owner",  # not a text
        "Organization owner",  # not a text
        "Owner email",  # not a text
        "Owner name",  # not a text
        "Assigned to",  # not a text
    ),
    # Not Salesforce's "Created Date", whose format depends on the user's locale.
    "created_at": (
        "Create date",  # not a text
        "Created time",  # not a text
        "Created on",  # not a text
        "Organization organization created",  # not a text
    ),
}

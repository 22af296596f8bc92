"""URLs of campaigns and of the links in their emails."""

from django.urls import path

from crm.campaigns.views import campaigns, unsubscribing

ONE = "campaign/<public_id:public_id>"

urlpatterns = [
    path("campaign", campaigns.campaigns, name="campaigns"),
    path("campaign/new", campaigns.edit, name="campaign_new"),
    path(ONE, campaigns.campaign, name="campaign"),
    path(f"{ONE}/edit", campaigns.edit, name="campaign_edit"),
    path(f"{ONE}/test", campaigns.send_test, name="campaign_test"),
    path(f"{ONE}/send", campaigns.confirm_send, name="campaign_send"),
    path(f"{ONE}/cancel", campaigns.cancel, name="campaign_cancel"),
    path(f"{ONE}/retry", campaigns.retry, name="campaign_retry"),
    path("unsubscribe/<str:token>", unsubscribing.unsubscribe_page, name="campaign_unsubscribe"),
]

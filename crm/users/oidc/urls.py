from allauth.socialaccount.views import connections
from django.urls import path

from crm.users.oidc import views

# The names are allauth's.
urlpatterns = [
    path("linked/", connections, name="socialaccount_connections"),
    path("oidc/<slug:provider_id>/login/", views.sign_in, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", views.callback, name="openid_connect_callback"),
    path("oidc/<slug:provider_id>/confirm/", views.confirm, name="openid_connect_confirm"),
]

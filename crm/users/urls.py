from django.urls import path

from crm.users import views
from crm.users.sign_in_settings import sign_in_settings

urlpatterns = [
    path("settings/", views.settings_home, name="settings"),
    path("settings/profile/", views.profile, name="profile"),
    path("settings/theme/", views.theme, name="theme"),
    path("settings/security/", views.security, name="security"),
    path("settings/people/", views.people, name="people"),
    path("settings/people/invite/", views.invite_person, name="invite_person"),
    path("settings/people/<int:pk>/", views.person, name="person"),
    path("settings/people/<int:pk>/deactivate/", views.deactivate, name="deactivate_person"),
    path("settings/people/<int:pk>/reactivate/", views.reactivate, name="reactivate_person"),
    path("settings/invitations/<int:pk>/withdraw/", views.withdraw, name="withdraw_invitation"),
    path("settings/teams/", views.teams, name="teams"),
    path("settings/teams/<int:pk>/", views.team, name="team"),
    path("settings/teams/<int:pk>/add/", views.add_to_team, name="add_to_team"),
    path("settings/teams/<int:pk>/remove/<int:member>/", views.remove_from_team, name="remove_from_team"),
    path("settings/teams/<int:pk>/restore/", views.bring_back_team, name="restore_team"),
    path("settings/workspace/", views.workspace, name="workspace"),
    path("settings/sign-in/", sign_in_settings, name="sign_in_settings"),
    path("workspaces/", views.workspaces, name="workspaces"),
    path("workspaces/<slug:slug>/open/", views.open_workspace, name="open_workspace"),
    path("invitation/<str:token>/", views.invitation, name="accept_invitation"),
]

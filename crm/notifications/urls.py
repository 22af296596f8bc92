from django.urls import path

from crm.notifications import views

urlpatterns = [
    path("notification", views.notifications, name="notifications"),
    path("notification/<slug:public_id>/open", views.open_notification, name="notification_open"),
    path("notification/read", views.read_all, name="notifications_read"),
    path("notification/unread/<int:moment>", views.mark_unread, name="notifications_unread"),
    path("settings/notifications/", views.settings, name="notification_settings"),
]

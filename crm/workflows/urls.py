"""URLs of workflow settings and incoming webhooks."""

from django.urls import path

from crm.workflows.views import guards, hooks, runs, settings

AT = "settings/workflows"
ONE = f"{AT}/<public_id:public_id>"
RUN = f"{AT}/runs/<public_id:public_id>"

urlpatterns = [
    path(f"{AT}/", settings.workflows, name="workflows"),
    path(f"{AT}/new/", settings.edit_workflow_page, name="workflow_new"),
    path(f"{AT}/prerequisites/", guards.guards, name="guards"),
    path(f"{AT}/prerequisites/new/", guards.guard, name="guard_new"),
    path(f"{AT}/prerequisites/<int:pk>/", guards.guard, name="guard"),
    path(f"{ONE}/", settings.workflow, name="workflow"),
    path(f"{ONE}/edit/", settings.edit_workflow_page, name="workflow_edit"),
    path(f"{ONE}/preview/", settings.workflow_preview, name="workflow_preview"),
    path(f"{ONE}/switch/", settings.switch, name="workflow_switch"),
    path(f"{ONE}/secret/", settings.rotate, name="workflow_rotate"),
    path(f"{RUN}/", runs.run_page, name="workflow_run"),
    path(f"{RUN}/retry/", runs.retry, name="workflow_run_retry"),
    path(f"{RUN}/cancel/", runs.cancel, name="workflow_run_cancel"),
    path("workflows/start/<slug:entity>/<public_id:public_id>", runs.start_by_hand, name="workflow_start"),
    path("workflows/release/<slug:entity>/<public_id:public_id>", runs.release_held_workflows, name="workflow_release"),
    path("hooks/<public_id:public_id>", hooks.hook, name="workflow_hook"),
]

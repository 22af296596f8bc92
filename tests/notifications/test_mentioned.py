"""@mara: resolution, notification and display."""

import pytest

from contacts.verbs.edit_activity import edit_activity
from contacts.verbs.log import log
from crm.entities.mentions import marked, mentioned
from crm.entities.people import members
from crm.notifications.lines import lines
from crm.notifications.models import Notification
from crm.users.models import Membership, User
from crm.users.verbs.deactivate_member import deactivate_member
from tests.factories import make_activity, make_company, make_contact, rows

pytestmark = pytest.mark.usefixtures("acme")


@pytest.mark.parametrize(
    "text, handles",
    [
        ("@rep, look", ["rep"]),
        ("Ask @Rep.", ["rep"]),
        ("(@rep @mate)", ["mate", "rep"]),
        ("@rep@mate", ["rep"]),
        ("rep@acme.example", []),
        ("x@rep and /@rep", []),
        ("@nobody @ @-", []),
    ],
)
def test_who_is_mentioned(text, handles):
    (found,) = mentioned([text])
    assert [member.user.email.partition("@")[0] for member in found] == handles


def add(email):
    user = User.objects.create_user(email)
    return Membership.objects.create(user=user, role="rep")


def test_handles_are_of_one_member_each():
    people = [add(email) for email in ("mara@a.example", "mara@b.example", "mara2@a.example", "o'hara+x@a.example")]
    handles = [members().rows[member.pk].handle for member in people]
    assert handles == ["mara", "mara2", "mara22", "oharax"]


def test_a_mention_is_told_once(cast, actor, told):
    ana = make_contact("Ana Ruiz")
    note = make_activity(kind="note", body="@mate and @mate: call her", contact=ana, by=actor("rep"))
    edit_activity(rows(note), {"body": "@mate @manager: call her"}, by=actor("rep"))
    assert told("mate") == told("manager") == [("mentioned", ana.pk, 1)]
    (line, _) = lines(list(Notification.objects.order_by("id")), actor("mate"))
    assert line.text == "Rep mentioned you on Ana Ruiz"


def test_a_mention_in_the_subject_alone_and_of_a_company_is_told(actor, told):
    company = make_company("Fleetly")
    log([{"kind": "task", "subject": "Ask @mate", "company_id": company.pk}], by=actor("rep"))
    assert told("mate") == [("mentioned", company.pk, 1)]


def test_who_cannot_see_it_left_or_wrote_it_is_not_told(cast, actor, told):
    ana = make_contact(team=cast.iberia.pk)
    deactivate_member(cast.mate, by=actor("admin"))
    make_activity(kind="note", body="@mate @outsider @rep @viewer", contact=ana, by=actor("rep"))
    assert not Notification.objects.exists()


def test_the_writer_hears_who_cannot_see_it(cast, sign_in, actor):
    ana = make_contact(team=cast.iberia.pk, owner=cast.rep.pk)
    page = sign_in("rep").post(
        f"{ana.get_absolute_url()}/activity",
        {"kind": "note", "body": "@outsider @viewer @mate", "priority": ""},
        follow=True,
    )
    assert "Outsider, Viewer can’t see this record and won’t be notified." in page.content.decode()
    note = ana.activities.get()
    changed = {"subject": "S", "body": "@outsider", "occurred_at": "2026-01-05T10:00"}
    page = sign_in("rep").post(f"/activity/{note.public_id}/edit", changed, follow=True)
    assert "Outsider can’t see this record and won’t be notified." in page.content.decode()


def test_a_mention_is_shown_with_the_name_and_everything_else_is_escaped():
    shown = marked('<b>@mara</b> & "@nobody" <@mara>', {"mara": 'Mara "<i>"'})
    mara = '<strong class="mention" title="Mara &quot;&lt;i&gt;&quot;">@mara</strong>'
    assert shown == f"&lt;b&gt;{mara}&lt;/b&gt; &amp; &quot;@nobody&quot; &lt;{mara}&gt;"
    assert marked("<a>", {}) == "&lt;a&gt;"


def test_the_timeline_shows_mentions(cast, sign_in, actor):
    ana = make_contact()
    make_activity(kind="note", subject="@mate <script>", body="@mate <script>\nnow", contact=ana, by=actor("rep"))
    page = sign_in("rep").get(ana.get_absolute_url()).content.decode()
    assert page.count('<strong class="mention" title="Mate">@mate</strong> &lt;script&gt;') == 2


@pytest.mark.parametrize("query, handles", [("ma", ["manager", "mate"]), ("MAT", ["mate"]), ("zz", [])])
def test_completions_are_those_who_work_here(query, handles, cast, sign_in, actor):
    answer = sign_in("rep").get("/contact/options", {"entity": "handle", "q": query}).content.decode()
    assert [part.split('"')[0] for part in answer.split('value="')[1:]] == handles


def test_who_left_is_no_completion(cast, sign_in, actor):
    deactivate_member(cast.mate, by=actor("admin"))
    assert "mate" not in sign_in("rep").get("/contact/options?entity=handle&q=mat").content.decode()

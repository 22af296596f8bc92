"""Files: chosen, dropped and pasted; previewed, renamed, deleted and restored; on a telephone and without scripts."""

import base64

import pytest
from playwright.sync_api import expect

from crm.files.models import Attachment
from crm.kit.scope import in_workspace
from tests.browser import assert_accessible, inspect
from tests.files.conftest import media, png

__all__ = ["media"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OFFER = {"name": "offer.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 an offer"}
# A transfer of a file, as a drop or a paste brings one.
TRANSFER = """([name, type, content]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type }));
  return transfer;
}"""


def picture(page):
    return page.evaluate_handle(TRANSFER, ["plan.png", "image/png", base64.b64encode(png()).decode()])


def names(cast) -> list[str]:
    with in_workspace(cast.acme):
        return list(Attachment.objects.live().order_by("pk").values_list("name", flat=True))


@pytest.mark.parametrize("javascript", [True, False])
def test_a_file_is_attached_shown_renamed_deleted_and_restored(javascript, visit, sign_in, add, cast):
    ana = add("Ana Ruiz")
    page = visit(f"/contact/{ana.public_id}", client=sign_in("rep"), width=390, javascript=javascript)
    page.locator(".files input[type=file]").set_input_files([OFFER, {**OFFER, "name": "plan.png", "buffer": png()}])
    if not javascript:
        page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("2 files attached.")
    page.locator(".files").get_by_role("link", name="plan.png", exact=True).click()
    expect(page.locator("img.file-preview")).to_be_visible()
    expect(page.locator("img.file-preview")).to_have_js_property("naturalWidth", 40)
    page.get_by_label("Name").fill("Floor plan.png")
    page.get_by_label("Description").fill("Second floor")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("File updated.")
    if javascript:
        inspect(page, "file-renamed")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == "Floor plan.png"
    page.get_by_role("button", name="Delete", exact=True).click()
    toast = page.locator(".toast", has_text="“Floor plan.png” deleted.")
    assert names(cast) == ["offer.pdf"]
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".files").get_by_role("link", name="Floor plan.png", exact=True)).to_be_visible()
    if javascript:
        assert_accessible(page)


def test_files_are_dropped_anywhere_on_the_page_and_pasted(visit, sign_in, add, cast):
    ana = add("Ana Ruiz")
    page = visit(f"/contact/{ana.public_id}", client=sign_in("rep"))
    page.locator("#timeline").dispatch_event("drop", {"dataTransfer": picture(page)})
    expect(page.locator(".toast")).to_contain_text("1 file attached.")
    page.evaluate(
        "transfer => document.body.dispatchEvent("
        "new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }))",
        picture(page),
    )
    expect(page.locator(".files").get_by_role("link", name="plan (2).png", exact=True)).to_be_visible()
    assert names(cast) == ["plan.png", "plan (2).png"]


def test_a_file_that_is_too_large_is_not_even_sent(visit, sign_in, add, cast, settings):
    settings.FILE_MAX_SIZE = 16
    page = visit(f"/contact/{add('Ana Ruiz').public_id}", client=sign_in("rep"))
    page.locator(".files input[type=file]").set_input_files([OFFER])
    expect(page.locator(".toast.is-error")).to_have_text("A file can have up to 16 bytes.")
    assert names(cast) == []


def test_a_call_shows_its_file_in_the_timeline(visit, sign_in, add, cast):
    ana = add("Ana Ruiz")
    page = visit(f"/contact/{ana.public_id}", client=sign_in("rep"))
    page.get_by_label("Text", exact=True).fill("Sent the offer")
    page.get_by_role("button", name="Add note").click()
    page.locator("#timeline").get_by_role("link", name="Sent the offer").click()
    page.locator(".files input[type=file]").set_input_files([OFFER])
    expect(page.locator(".toast")).to_contain_text("1 file attached.")
    page.goto(f"/contact/{ana.public_id}")
    expect(page.locator("#timeline .file-chips").get_by_role("link", name="offer.pdf")).to_be_visible()
    inspect(page, "contact-with-files")

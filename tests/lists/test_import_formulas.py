import pytest
from django.db.models import Value
from hypothesis import given
from hypothesis import strategies as st

from crm.lists.formulas import DANGEROUS, EscapedFormula, escape, unescape
from crm.users.models import Workspace

pytestmark = pytest.mark.once

TEXTS = st.text(st.sampled_from([*DANGEROUS, "'", "a", "1", " ", "ü"]), max_size=6) | st.text(max_size=20)


@pytest.mark.once
@given(TEXTS)
def test_what_is_escaped_reads_back_the_same(text):
    assert unescape(escape(text)) == text


@pytest.mark.once
@given(TEXTS)
def test_nothing_that_is_escaped_begins_like_a_formula(text):
    assert escape(text)[:1] not in DANGEROUS or not text


@pytest.mark.once
@pytest.mark.parametrize(
    "text", ["=1+1", "+49 30 1234", "-5", "@me", "\t=1", "\r=1", "\n=1", "\0=1", "\uff1d1", "''=1"]
)
def test_formulas_are_escaped(text):
    assert escape(text) == f"'{text}"


@pytest.mark.once
@pytest.mark.parametrize("text", ["", "Ann", "'t Hooft", "'", "49", "5-4", "a=b"])
def test_other_text_is_left_alone(text):
    assert escape(text) == text


@pytest.mark.parametrize(
    "text", ["=1", "+49", "-5", "@me", "\t=1", "'=1", "''+1", "'t Hooft", "", "Ann", "\uff0b1", "5-4"]
)
def test_the_database_escapes_alike(db, text):
    Workspace.objects.create(slug="a", name="A")
    assert Workspace.objects.annotate(inert=EscapedFormula(Value(text))).values_list("inert", flat=True)[0] == escape(
        text
    )

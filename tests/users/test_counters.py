"""Sign-in counters are in the database: they cannot be flushed, and all processes share them."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache, caches
from django.db import connection
from django.utils import timezone

from crm import settings as product
from crm.users.jobs import forget_expired_counters
from tests.users.test_second_factor import code_of
from tests.users.test_sign_in import attempt

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counters(settings):
    """Use the product's own caches."""
    settings.CACHES = product.CACHES


def rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM counters")
        return cursor.fetchone()[0]


def test_decoys_do_not_flush_the_limit_of_an_account(cast, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "account_failed": "3/h/key"}
    for n in range(3):
        attempt("rep@acme.example", "wrong-password-x", address=f"203.0.113.{n}")
    for n in range(200):  # 600 counters, where Django's default cache holds 300
        attempt(f"decoy{n}@acme.example", "wrong-password-x", address=f"10.0.0.{n}")
    codes = [attempt("rep@acme.example", "wrong-password-x", address="198.51.100.7").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert rows() > 400


def test_a_code_of_a_second_factor_is_used_once_whatever_the_process(cast):
    secret = generate_totp_secret()
    factor, code = TOTP.activate(cast.rep.user, secret), code_of(secret)
    assert factor.validate_code(code)
    del caches._connections.default  # as another process, without its memory
    assert not factor.validate_code(code)
    assert not factor.validate_code(f"{code[:3]} {code[3:]}")


def test_counters_that_count_no_longer_are_deleted(cast):
    for n in range(3):
        cache.set(f"old{n}", 1, timeout=1)
    cache.set("new", 1, timeout=7200)
    forget_expired_counters(timezone.now() + timedelta(hours=1))
    assert (rows(), cache.get("new")) == (1, 1)


def test_counting_what_members_do_writes_nothing(acme, sign_in, django_assert_max_num_queries):
    client = sign_in("rep")
    client.get("/search?q=ana")
    assert rows() == 0

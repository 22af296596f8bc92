"""R1: no committed change loses or duplicates its effect; tested on the running product.

N contacts are lost one by one on the web, while the handler writes a trace of each; EXAMPLES=4 has 500.
"""

import signal

import pytest
import redis as redis_client

from tests.events import settings
from tests.events.processes import N, Product, alive, kill, own_database
from tests.events.test_engine import eventually
from tests.services import free_port, redis

LEASE = settings.DELIVERY_LEASE
WORKERS_START = 30  # seconds until Celery's workers run on a busy machine


@pytest.fixture
def database(tmp_path, db):
    with own_database(tmp_path) as url:
        yield url


def test_a_kill_in_mid_run_loses_nothing(tmp_path, database):
    product = Product(tmp_path, database)
    with product.up() as server:
        product.lose_one()
        with product.losing():
            product.wait_for_effects(N // 4, 60)
            kill(server)
    assert product.left, "all was over before the kill"
    with product.up(), product.losing():
        product.wait_for_effects(product.events(), LEASE + 10)
    with product.up():
        product.wait_for_effects(N, LEASE + 10)
    assert product.events() == N
    assert product.effects() == (N, N)


def test_a_stop_finishes_or_gives_back_what_has_begun(tmp_path, database):
    product = Product(tmp_path, database)
    with product.up() as server, product.losing():
        product.wait_for_effects(N // 4, 60)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0
    assert {state for state, _, _ in product.states()} <= {"done", "pending"}
    with product.up(), product.losing():
        pass
    with product.up():
        product.wait_for_effects(N, 10)
    assert product.effects() == (N, N)
    assert product.events() == N


@pytest.mark.postgres
@pytest.mark.redis
def test_a_stop_ends_the_engine_and_the_workers_as_well(tmp_path, database):
    with redis() as url:
        product = Product(tmp_path, database, REDIS_URL=url)
        with product.up() as server, product.losing():
            product.wait_for_effects(N // 4, 60)
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=20) == 0
        assert eventually(lambda: not alive(server.pid))
        with product.up(), product.losing():
            product.wait_for_effects(N, LEASE + WORKERS_START)
    assert product.effects() == (N, N)


@pytest.mark.postgres
@pytest.mark.redis
def test_redis_may_forget_everything_in_mid_run(tmp_path, database):
    with redis() as url:
        product = Product(tmp_path, database, REDIS_URL=url)
        with product.up(), product.losing():
            product.wait_for_effects(N // 4, 60)
            redis_client.Redis.from_url(url).flushall()
            product.wait_for_effects(N, LEASE + WORKERS_START)
    assert product.effects() == (N, N)
    assert set(product.statuses) == {302}


@pytest.mark.postgres
@pytest.mark.redis
def test_without_redis_the_web_works_and_the_effects_come_later(tmp_path, database):
    port = free_port()
    product = Product(tmp_path, database, REDIS_URL=f"redis://127.0.0.1:{port}/0")
    with product.up():
        product.lose_contacts()
        assert product.statuses == [302] * N
        assert product.effects() == (0, 0)
        with redis(port):
            product.wait_for_effects(N, LEASE + WORKERS_START)
            assert product.effects() == (N, N)


@pytest.mark.postgres
@pytest.mark.redis
def test_a_kill_of_everything_beside_redis_loses_nothing(tmp_path, database):
    with redis() as url:
        product = Product(tmp_path, database, REDIS_URL=url)
        with product.up() as server:
            product.lose_one()
            with product.losing():
                product.wait_for_effects(N // 4, 60)
                kill(server)
        assert product.left, "all was over before the kill"
        with product.up():
            product.lose_contacts()
            product.wait_for_effects(N, LEASE + WORKERS_START)
    assert product.effects() == (N, N)

import pytest

from bench.measure import Ratio, compare, line, percentile

pytestmark = pytest.mark.once


def test_a_percentile_is_one_of_the_values():
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.0, 0.5, 0.95, 0.99, 1.0)] == [1, 50, 95, 99, 100]
    assert percentile([7.0], 0.99) == 7


def test_a_line_shows_median_range_and_whether_the_target_holds():
    measurements = iter([99.0, 2.0, 1.0, 3.0])  # the warm-up round does not count
    text, holds = line(Ratio("2", "list / empty page", 2.5, lambda: next(measurements), rounds=3))
    assert [cell.strip() for cell in text.split("|")] == ["2", "list / empty page", "2.00 (1.00–3.00)", "≤ 2.5", "yes"]
    assert holds


@pytest.mark.parametrize("at_most, holds", [(True, False), (False, True)])
def test_a_target_is_an_upper_or_a_lower_bound(at_most, holds):
    text, verdict = line(Ratio("5", "import / COPY", 0.7, lambda: 0.8, at_most=at_most, rounds=1))
    assert verdict is holds
    assert ("NO" in text) is not holds


def test_the_two_sides_of_a_ratio_run_in_turn():
    order = []
    take = compare(lambda: order.append("a"), lambda: order.append("b"))
    take()
    take()
    assert order == ["a", "b", "a", "b"]

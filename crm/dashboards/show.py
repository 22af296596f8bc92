"""What a part shows, or the sentence why it shows nothing."""

from itertools import chain

from django.db import connection

from crm.conditions.errors import ConditionError
from crm.dashboards.query import DashboardQuery
from crm.dashboards.tables import Content, Part
from crm.kit.actor import Actor, Role
from crm.kit.timelimit import TooSlow, time_limit
from crm.kit.translation import gettext as _

TIME_LIMIT = 10  # seconds for each statement


def content(part: Part, asked: DashboardQuery) -> Content:
    """The figures of a part. A filter that its records do not know leaves it empty, and is said."""
    try:
        with time_limit(TIME_LIMIT):
            _plan(asked.by)
            return part.make(asked)
    except ConditionError as error:
        return Content((), note=_("This filter doesn’t apply here. {error}").format(error=error))
    except TooSlow:
        return Content((), note=_("This takes too long. Choose a shorter period or narrow the filter."))


# Compiling statements of many conditions took 1.7 s, and running them 0.1; a million rows are grouped and joined in
# this much memory, where in 4 MB they are sorted on the disk. What a rep sees is few: it is looked up by key, since in
# memory and on today's disks any page costs little more than the next one, and by one process, for it takes longer to
# start another. Who sees all without being a manager, where there are no teams, is planned for by the same costs.
OF_ALL = {"jit": "off", "work_mem": "64MB"}
OF_SOME = OF_ALL | {"random_page_cost": "1.1", "parallel_setup_cost": "20000"}


def _plan(by: Actor) -> None:
    """Until the transaction of the time limit ends: how PostgreSQL is to plan what a dashboard asks."""
    if connection.vendor == "postgresql":
        settings = OF_ALL if by.is_at_least(Role.MANAGER) else OF_SOME
        with connection.cursor() as cursor:
            wanted = ", ".join(["set_config(%s, %s, true)"] * len(settings))
            cursor.execute(f"SELECT {wanted}", list(chain(*settings.items())))

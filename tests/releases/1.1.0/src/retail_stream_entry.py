"""The door for Snowflake: its IMPORTS land flat in one directory, and here that directory becomes the package
`retail_stream`.

HANDLER clauses name this module. The modules themselves import each other as `retail_stream.<module>`, as they do in
tests.
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

if "retail_stream" not in sys.modules:
    _spec = importlib.machinery.ModuleSpec("retail_stream", None, is_package=True)
    _spec.submodule_search_locations = [str(Path(__file__).parent)]
    sys.modules["retail_stream"] = importlib.util.module_from_spec(_spec)

from retail_stream.table_functions import (  # noqa: F401
    FulfilmentEvents,
    MarketingEvents,
    OrderDraws,
    PurchaseEvents,
    SignUps,
)


def generate_batch(session, customer_events, purchase_events, marketing_events, supply_chain_events) -> str:
    """Make one run and return its id (`retail_stream.procedures`, which is out of reach of table functions)."""
    from retail_stream import procedures

    return procedures.generate_batch(session, customer_events, purchase_events, marketing_events, supply_chain_events)


def configuration_faults(session) -> str:
    """The faults of the reference tables as they are now, as JSON text."""
    from retail_stream import procedures

    return procedures.configuration_faults(session)


def replay_run(session, run_id) -> str:
    """A run made again and compared with what is there: rows as JSON text."""
    from retail_stream import procedures

    return procedures.replay_run(session, run_id)


def plan_history(session, start_date, end_date, events_per_day) -> str:
    """Plan the chunks of a stretch of the past and return the fill's id."""
    from retail_stream import procedures

    return procedures.plan_history(session, start_date, end_date, events_per_day)


def generate_chunk(session, fill) -> str:
    """Make the next chunk of a fill and return the run's id; '' when none waits."""
    from retail_stream import procedures

    return procedures.generate_chunk(session, fill)


def restore_configuration(session, run_id) -> str:
    """Put the reference tables back to what a run saw."""
    from retail_stream import procedures

    return procedures.restore_configuration(session, run_id)


def save_configuration(session, edited, seen, is_trial) -> str:
    """Give reference tables new rows, unless a run would refuse them: the faults, as JSON text."""
    from retail_stream import procedures

    return procedures.save_configuration(session, edited, seen, is_trial)


def fit_customer_model(session) -> str:
    """Fit the purchase model to the customers' histories."""
    from retail_stream import procedures

    return procedures.fit_customer_model(session)

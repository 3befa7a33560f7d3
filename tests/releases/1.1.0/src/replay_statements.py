"""The SQL with which a run is made again and compared with what is there. Nothing here writes.

Two relations are compared by (part, number): `made` and `found` have the columns part, number and content, a text.
"""

from retail_stream import statements as made_by
from retail_stream.statements import bound_instant, text_of_instant

# Runs follow each other in the order of their rows: each is written after the one before it has ended. Binds: run.
_ITS_TIME = "(select its.run_timestamp from reference_data.data_generation_audit as its where its.run_id = ?)"

# Binds: run twice.
READ_RUN = f"""
select
    status, error_message, run_type, {text_of_instant("window_start")},
    {text_of_instant("window_end")}, to_json(requested_counts), to_json(generated_counts), to_json(first_numbers),
    to_json(configuration_snapshot), to_json(table_checksums), seed, law_version, events_checksum,
    (
        select count(*)
        from reference_data.data_generation_audit as resets
        where resets.run_type = 'RESET' and resets.status = 'COMPLETED' and resets.run_timestamp > {_ITS_TIME}
    ),
    (select {text_of_instant("purged_until")} from pipeline.retention where layer = 'RAW'),
    {text_of_instant("run_timestamp")}
from reference_data.data_generation_audit
where run_id = ?
"""


def _compared(made: str, found: str, more: str = "") -> str:
    """One row per part: how many were made again and how many found, what is missing, too much or different."""
    return f"""
with {more}
made as ({made}),
found as (
    select part, number, min(content) as content, count(*) as copies from ({found}) group by part, number
)
select
    coalesce(made.part, found.part) as part,
    count(made.number) as made_again,
    coalesce(sum(found.copies), 0) as found,
    count_if(found.number is null) as missing,
    count_if(made.number is null) as unexpected,
    count_if(found.copies > 1 or made.content <> found.content) as different,
    min(iff(found.number is null or made.number is null or found.copies > 1 or made.content <> found.content,
        coalesce(made.number, found.number), null)) as example
from made
full outer join found on made.part = found.part and made.number = found.number
group by 1
"""


# A number is written alike whether it comes from an expression or from storage only after it has been parsed.
_EVENT = f"""
    event_type as part, event_id as number,
    {text_of_instant("event_time")} || ' ' || coalesce(checksum::varchar, 'none') || ' '
        || to_json(parse_json(to_json(event_data))) as content
"""
_TRAITS = f"""
    'truth.customers' as part, customer_id as number,
    to_json(object_construct(
        'signed_up_at', {text_of_instant("signed_up_at")}, 'signed_up_slot', signed_up_slot,
        'dropout_at', {text_of_instant("dropout_at")}, 'dropout_slot', dropout_slot,
        'first_name', first_name, 'last_name', last_name, 'email', email, 'gender', gender, 'age', age,
        'income', income, 'city', city, 'state', state, 'zip_code', zip_code, 'time_zone', time_zone,
        'customer_segment', customer_segment, 'price_sensitivity', price_sensitivity::varchar,
        'favourite_category', favourite_category, 'preferred_channel', preferred_channel,
        'acquisition_channel', acquisition_channel, 'rate_factor', rate_factor, 'value_factor', value_factor,
        'law_version', law_version, 'checksum', checksum, 'run_id', run_id
    )) as content
"""
_ORDER = f"""
    'truth.orders' as part, order_id as number,
    customer_id || ' ' || slot || ' ' || {text_of_instant("ordered_at")} || ' ' || iff(is_first, 'first', 'again')
        || ' ' || run_id as content
"""
_RAW = f"select {_EVENT} from raw_data.raw_retail_events where event_id >= ? and run_id = ? and event_type"

# Binds: those of SIGN_UPS, run, least event_id, run.
COMPARE_CUSTOMERS = _compared(
    f"select {_TRAITS} from again union all select {_EVENT} from ({made_by.PROFILES} from again)",
    f"select {_TRAITS} from truth.customers where run_id = ? union all {_RAW} = 'customer_profile'",
    f"again as ({made_by.SIGN_UPS}),",
)

# Binds: those of DRAWS, run.
COMPARE_ORDERS = _compared(
    f"select {_ORDER} from ({made_by.DRAWS})", f"select {_ORDER} from truth.orders where run_id = ?"
)

# Binds: those of PURCHASES, least event_id, run.
COMPARE_PURCHASES = _compared(f"select {_EVENT} from ({made_by.PURCHASES})", f"{_RAW} = 'purchase'")

# From when on an event can have waited for the run (the oldest that it emitted, or the window's start), and how long an
# order or a sign-up has events to come, in days. Binds: start of the window twice, least event_id, run twice.
READ_HORIZON = f"""
select
    {text_of_instant("horizon.oldest")},
    settings.days
from (
    select least(coalesce(min(event_time), {bound_instant()}), {bound_instant()}) as oldest
    from raw_data.raw_retail_events
    where event_id >= ? and run_id = ? and event_type in ('return', 'marketing_touch', 'supply_chain')
) as horizon
cross join (
    select 30 + greatest(30, max(parameter.value:parameter_value::number(9, 0))) as days
    from (
        select max_by(configuration_snapshot, run_id) as snapshot
        from reference_data.data_generation_audit
        where status = 'COMPLETED' and configuration_snapshot is not null and run_timestamp <= {_ITS_TIME}
        group by table_checksums:generation_parameters::varchar
    ) as seen,
        lateral flatten(input => seen.snapshot:tables:generation_parameters) as parameter
    where parameter.value:parameter_name::varchar = 'return_window_days'
) as settings
"""

# The runs before this one, and itself, whose stock movements may have waited for it. Binds: oldest, run.
READ_STOCK_RUNS = f"""
select {text_of_instant("window_start")}, {text_of_instant("window_end")}, to_json(configuration_snapshot)
from reference_data.data_generation_audit
where
    status = 'COMPLETED' and run_type not in ('BRONZE', 'GOLD')
    and window_end > {bound_instant()} and run_timestamp <= {_ITS_TIME}
    and run_timestamp > coalesce(
        (
            select max(resets.run_timestamp)
            from reference_data.data_generation_audit as resets
            where resets.run_type = 'RESET' and resets.status = 'COMPLETED' and resets.run_timestamp < {_ITS_TIME}
        ),
        {made_by.EPOCH}
    )
"""

# The settings of every run that may have brought about what fell due in this one; equal settings share their shards.
# Binds: run, days, oldest.
_RUNS = f"""
runs as (
    select
        run_id, run_timestamp, to_json(configuration_snapshot) as configuration,
        dense_rank() over (order by md5(to_json(configuration_snapshot))) as settings
    from reference_data.data_generation_audit
    where
        status = 'COMPLETED' and run_type not in ('BRONZE', 'GOLD') and window_end is not null
        and run_timestamp <= {_ITS_TIME}
        and window_end > dateadd('day', -?, {bound_instant()})
),
"""

# Binds of each: size of a shard.
_SHARD = "runs.settings * 100000 + floor((row_number() over (partition by runs.settings order by {0}) - 1) / ?)"
_ORDERS_OF_RUNS = made_by.orders_in_shards(
    _SHARD.format("orders.order_id"), "runs.configuration", "inner join runs on orders.run_id = runs.run_id"
)
_TOUCHED_OF_RUNS = made_by.touched_in_shards(
    _SHARD.format("touched.order_id, touched.customer_id"), "runs.configuration", "", "",
    "inner join runs on touched.run_id = runs.run_id",
)  # fmt: skip

# Binds: those of _RUNS; run, size of a shard; run, size of a shard; run, rows (stock); first slot; least and end of what
# falls due; run twice; most touches, most movements; least event_id, run.
COMPARE_DUE = _compared(
    f"""
    select {_EVENT}
    from (
        {made_by.DUE_EVENTS}
        from (
            select fixed.kind, fixed.event_number, fixed.due_at, fixed.due_slot, fixed.event_data, fixed.checksum
            from fixed
            left join emitted on fixed.kind = emitted.kind and fixed.event_number = emitted.event_number
            where fixed.due_at >= {bound_instant()} and fixed.due_at < {bound_instant()} and emitted.kind is null
            qualify
                row_number() over (partition by fixed.kind order by fixed.due_at, fixed.event_number)
                <= case fixed.kind when 4 then ? when 5 then ? else 1000000000 end
        )
    )
    """,
    f"{_RAW} in ('return', 'marketing_touch', 'supply_chain')",
    f"""
{_RUNS}

fixed as (
    {made_by.fulfilment(_ORDERS_OF_RUNS)}
    union all
    {made_by.marketing(_TOUCHED_OF_RUNS)}
    union all
    {made_by.STOCK}
),

emitted as (
    select distinct
        case raw.event_type when 'return' then 3 when 'marketing_touch' then 4 else 5 end as kind,
        try_to_number(
            coalesce(raw.event_data:return_id, raw.event_data:touch_id, raw.event_data:movement_id)::varchar
        ) as event_number
    from raw_data.raw_retail_events as raw
    inner join reference_data.data_generation_audit as earlier on raw.run_id = earlier.run_id
    where
        raw.event_type in ('return', 'marketing_touch', 'supply_chain')
        and raw.event_time >= {bound_instant()}
        and earlier.run_timestamp <= {_ITS_TIME}
        and earlier.run_id <> ?
),
""",
)

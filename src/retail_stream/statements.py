"""The SQL of a run, in the order in which it is executed. Values are binds, never part of the text.

Rows made in Python (plans, weights) travel as one bind of JSON text and become a relation by FLATTEN. A run needs no
temporary object and, between BEGIN and COMMIT, no DDL.
"""

from collections.abc import Iterable

from retail_stream.configuration import COLUMNS

EPOCH = "to_timestamp_ntz('2000-01-01', 'YYYY-MM-DD')"  # a cast would depend on the caller's TIMESTAMP_INPUT_FORMAT
FORMAT = "'YYYY-MM-DD HH24:MI:SS.FF3'"


def bound_instant() -> str:
    return f"to_timestamp_ntz(?, {FORMAT})"


_SO_FAR = "rows between unbounded preceding and current row"


def _instant(milliseconds: str) -> str:
    return f"dateadd('millisecond', {milliseconds}, {EPOCH})"


def milliseconds_of(instant: str) -> str:
    return f"datediff('millisecond', {EPOCH}, {instant})::number(18, 0)"


def _dollars(cents: str) -> str:
    return f"({cents} * 0.01)::number(12, 2)"


def text_of_instant(instant: str) -> str:
    return f"to_char({instant}, {FORMAT})"


def _rows_of(table: str, columns: Iterable[str]) -> str:
    pairs = ", ".join(f"'{column}', {column}" for column in columns)
    return f"union all select '{table}', to_json(object_construct({pairs})) from reference_data.{table}\n"


def least_event_id(slot: int) -> int:
    """No event of the slot or a later one has a smaller id."""
    return slot * 10_000_000_000


# Taking the state and closing what crashed are two statements: the second does nothing if another run took the state in
# between.
TAKE_STATE = "update pipeline.generation_state set holder = ?, held_at = sysdate() where state_id = 1"
CLOSE_CRASHED = """
update reference_data.data_generation_audit
set status = 'FAILED', error_message = 'It did not end; a later run closed it. Nothing of it was kept.'
where
    status = 'RUNNING'
    and run_type = 'GENERATION'
    and exists (select 1 from pipeline.generation_state where holder = ?)
"""
RECORD_START = """
insert into reference_data.data_generation_audit (
    run_id, run_timestamp, run_type, requested_counts, code_version, status
)
select ?, sysdate(), 'GENERATION', parse_json(?), ?, 'RUNNING'
"""

# Holds the row until the run ends, so that no other run passes here. The holder is read by the next statement, which
# begins with the row held: whether one that waited sees what it waited for is not documented.
HOLD_STATE = "update pipeline.generation_state set held_at = sysdate() where state_id = 1"
IS_HOLDER = "select count(*) from pipeline.generation_state where state_id = 1 and holder = ?"

# The state and the reference tables; as LIVING_WEIGHTS with the number of rows in each, since the caller's session may
# cut results (ROWS_PER_RESULTSET).
READ_ALL = f"""
select table_name, row_text, count(*) over () as row_count
from (
select 'state' as table_name, to_json(object_construct(
    'now', {text_of_instant("sysdate()")},
    'window_end', {text_of_instant("window_end")},
    'next_customer', next_customer, 'next_order', next_order, 'known_segments', known_segments
)) as row_text from pipeline.generation_state
{"".join(_rows_of(table, columns) for table, columns in COLUMNS.items())}
)
"""

# Binds: law version, run, configuration, rows.
SIGN_UPS = f"""
select
    made.customer_id, {_instant("made.signed_up_ms")} as signed_up_at, made.signed_up_slot,
    {_instant("made.dropout_ms")} as dropout_at, made.dropout_slot,
    made.first_name, made.last_name, made.email, made.gender, made.age, made.income,
    made.city, made.state, made.zip_code, made.time_zone,
    made.customer_segment, (made.price_sensitivity * 0.001)::number(4, 3) as price_sensitivity,
    made.favourite_category, made.preferred_channel, made.acquisition_channel,
    made.rate_factor, made.value_factor, ? as law_version, made.checksum, ? as run_id,
    (made.purchase_rate * 0.000001)::number(12, 6) as purchase_rate,
    {_dollars("made.order_value")} as order_value, {_dollars("made.order_margin")} as order_margin,
    {_dollars("made.lifetime_value")} as lifetime_value,
    dateadd('day', 90, {_instant("made.dropout_ms")}) as churn_known_at
from (
    select
        value[0]::number(9, 0) as shard,
        value[1]::number(9, 0) as slot,
        value[2]::number(9, 0) as open_ms,
        value[3]::number(18, 0) as first_customer,
        value[4]::number(9, 0) as sign_up_count,
        iff(row_number() over (partition by value[0] order by value[3]::number) = 1, ?, null) as configuration
    from table(flatten(input => parse_json(?)))
) as shards,
table(core.sign_ups(shards.configuration, shards.slot, shards.open_ms, shards.first_customer, shards.sign_up_count)
    over (partition by shards.shard)) as made
"""

# Binds: those of SIGN_UPS.
SIGN_UP = f"""
insert into truth.customers (
    customer_id, signed_up_at, signed_up_slot, dropout_at, dropout_slot,
    first_name, last_name, email, gender, age, income, city, state, zip_code, time_zone,
    customer_segment, price_sensitivity, favourite_category, preferred_channel, acquisition_channel,
    rate_factor, value_factor, law_version, checksum, run_id,
    purchase_rate, order_value, order_margin, lifetime_value, churn_known_at
)
{SIGN_UPS}
"""

_LAND = """
insert into raw_data.raw_retail_events (
    event_id, event_type, event_time, event_data, checksum, run_id, created_at
)
"""


# The events of customers, those of truth or the same made again.
PROFILES = f"""
select
    signed_up_slot * 10000000000 + 1000000000 + mod(customer_id, 1000000000) as event_id,
    'customer_profile' as event_type,
    signed_up_at as event_time,
    object_construct(
        'customer_id', customer_id, 'first_name', first_name, 'last_name', last_name, 'email', email,
        'gender', gender, 'age', age, 'income', income,
        'city', city, 'state', state, 'zip_code', zip_code, 'time_zone', time_zone,
        'customer_segment', customer_segment, 'price_sensitivity', price_sensitivity,
        'favourite_category', favourite_category, 'preferred_channel', preferred_channel,
        'acquisition_channel', acquisition_channel,
        'signed_up_at', {text_of_instant("signed_up_at")}
    )::variant as event_data,
    checksum
"""

# Binds: first and next customer.
EMIT_PROFILES = f"""
{_LAND}
{PROFILES}, run_id, sysdate()
from truth.customers
where customer_id >= ? and customer_id < ?
"""

# Who buys. Every order's draw_position lies in [0, weight of all who live in its slot and zone); the customer on whom
# it falls is found by laying positions and customers on one line and looking to the left. The line is that of all
# customers who live at the window's start or sign up in it; who does not live in a slot is a gap there, and a position
# moves right by every gap at or before it. So the result is that of a running sum over just the living of the slot, by
# customer number.
#
# The line is summed up by blocks of customer numbers in one columnar pass; in it a block's gaps stand at its end. Only
# the blocks in which a position comes to stand are looked into, in the same way: gaps, then who stands at the place.
# Binds: configuration, rows, segments, those of _living, _DROPPING_OUT, _SIGNING_UP and again _living, run, first order.
# A block has 256 customer numbers; the fewer, the more blocks and the less to look into.
_BLOCK = "bitshiftright(customers.customer_id, 8)::number(18, 0)"


_SEGMENTS = """
segments as (
    select value[0]::varchar as segment_name, value[1]::number(8, 6) as purchase_frequency
    from table(flatten(input => parse_json(?)))
)"""


def _living(columns: str, condition: str = "true") -> str:
    """The customers of the line. Their weights are narrow numbers, which any engine multiplies fast: a rate factor stays
    below 1,000 and a frequency is 60 at most. Binds: last slot, first slot, next customer, then the condition's.
    """
    return f"""
    select
        customers.time_zone, {_BLOCK} as block,
        round(customers.rate_factor::number(9, 0) * segments.purchase_frequency)::number(12, 0) as weight{columns}
    from truth.customers
    inner join segments on customers.customer_segment = segments.segment_name
    where
        customers.signed_up_slot < ? and customers.dropout_slot > ? and customers.customer_id < ?
        and {condition}
"""


# Who is missing in some slot of the window: from the dropout on, and who signed up in its first half-hour while it was
# open, in that one. The run's own sign-ups need no gap: they stand on the line in the order of their slots, to the right
# of all positions of the slots before. Two relations, since an engine can skip most of a table by one bound, not by two
# of which either will do.
# Binds: those of _living, last slot; those of _living, first slot, first customer.
_DROPPING_OUT = _living(", customers.customer_id, customers.dropout_slot as slot", "customers.dropout_slot <= ?")
_SIGNING_UP = _living(
    ", customers.customer_id, customers.signed_up_slot as slot",
    "customers.signed_up_slot >= ? and customers.customer_id < ?",
)


# What the living customers weigh at the start of the window (slot 0), and what joins and leaves from a slot of it on: who
# signed up in the window's first half-hour while it was open lives from the second on. The run's own sign-ups are not
# among them. Binds: segments, those of _living, first slot, those of _DROPPING_OUT and _SIGNING_UP.
LIVING_WEIGHTS = f"""
with {_SEGMENTS}
select time_zone, slot, weight::number(18, 0) as weight, count(*) over () as row_count
from (
    select time_zone, 0 as slot, sum(weight) as weight
    from ({_living("", "customers.signed_up_slot < ?")})
    group by time_zone
    union all
    select time_zone, slot, -sum(weight) from ({_DROPPING_OUT}) group by time_zone, slot
    union all
    select time_zone, slot + 1, sum(weight) from ({_SIGNING_UP}) group by time_zone, slot
)
"""


def line_binds(first: int, last: int, first_customer: int, next_customer: int) -> tuple[tuple[int, ...], ...]:
    """The binds of _living, _DROPPING_OUT and _SIGNING_UP."""
    living = (last, first, next_customer)
    return living, (*living, last), (*living, first, first_customer)


def _past_gaps(cell: str, positions: str, gaps: str) -> str:
    """Positions among the present, where they stand among all: two relations, of which the gaps have a number, which
    orders them, and the place where they begin among all.
    """
    return f"""
    select
        order_id, {cell},
        (place + sum(gap) over (partition by {cell} order by place, order_id {_SO_FAR}))::number(18, 0) as place
    from (
        select
            0 as order_id, {cell},
            (place + weight - sum(weight) over (partition by {cell} order by gap_number {_SO_FAR}))::number(18, 0)
                as place,
            weight as gap
        from {gaps}
        union all
        select order_id, {cell}, place, 0 from {positions}
    )
    qualify order_id > 0
"""


DRAWS = f"""
with

drawn as (
    select made.*
    from (
        select
            value[0]::number(9, 0) as shard,
            value[1]::number(9, 0) as slot,
            value[2]::number(9, 0) as open_ms,
            value[3]::varchar as time_zone,
            value[4]::number(18, 0) as weight,
            value[5]::number(18, 0) as first_customer,
            value[6]::number(18, 0) as first_order,
            value[7]::number(9, 0) as order_count,
            iff(row_number() over (partition by value[0] order by value[6]::number) = 1, ?, null) as configuration
        from table(flatten(input => parse_json(?)))
    ) as shards,
    table(core.order_draws(
        shards.configuration, shards.slot, shards.open_ms, shards.time_zone, shards.weight, shards.first_order,
        shards.first_customer, shards.order_count
    ) over (partition by shards.shard)) as made
),

{_SEGMENTS},

blocks as (
    select
        time_zone, block, weight,
        (sum(weight) over (partition by time_zone order by block {_SO_FAR}) - weight)::number(18, 0) as place
    from (
        select time_zone, block, sum(weight)::number(18, 0) as weight
        from ({_living("")})
        group by time_zone, block
    )
),

wanted as (select order_id, slot, time_zone, draw_position as place from drawn where buyer = 0),

missing as (
    select cells.slot, dropping_out.time_zone, dropping_out.block, dropping_out.customer_id, dropping_out.weight
    from ({_DROPPING_OUT}) as dropping_out
    inner join (select distinct slot, time_zone from wanted) as cells
        on dropping_out.time_zone = cells.time_zone and cells.slot >= dropping_out.slot
    union all
    select cells.slot, signing_up.time_zone, signing_up.block, signing_up.customer_id, signing_up.weight
    from ({_SIGNING_UP}) as signing_up
    inner join (select distinct slot, time_zone from wanted) as cells
        on signing_up.time_zone = cells.time_zone and cells.slot <= signing_up.slot
),

block_gaps as (
    select
        gone.slot, gone.time_zone, gone.block as gap_number, gone.weight,
        blocks.place + blocks.weight - gone.weight as place
    from (
        select slot, time_zone, block, sum(weight)::number(18, 0) as weight
        from missing
        group by slot, time_zone, block
    ) as gone
    inner join blocks on gone.time_zone = blocks.time_zone and gone.block = blocks.block
),

positions as ({_past_gaps("slot, time_zone", "wanted", "block_gaps")}),

-- Each position with its block, and its place in it.
hits as (
    select order_id, slot, time_zone, block, (place - block_place)::number(18, 0) as place
    from (
        select
            order_id, slot, time_zone, place,
            max(block) over (partition by time_zone order by place, order_id, block {_SO_FAR}) as block,
            max(iff(order_id = 0, place, null)) over (partition by time_zone order by place, order_id, block {_SO_FAR})
                as block_place
        from (
            select 0 as order_id, 0 as slot, time_zone, place, block from blocks
            union all
            select order_id, slot, time_zone, place, null from positions
        )
    )
    where order_id > 0
),

residents as (
    select
        customer_id, time_zone, block,
        (sum(weight) over (partition by time_zone, block order by customer_id {_SO_FAR}) - weight)::number(18, 0)
            as place
    from ({_living(", customers.customer_id", f"{_BLOCK} in (select block from hits)")})
),

resident_gaps as (
    select
        missing.slot, missing.time_zone, missing.block, missing.customer_id as gap_number, missing.weight,
        residents.place
    from missing
    inner join residents on missing.customer_id = residents.customer_id
    inner join (select distinct slot, time_zone, block from hits) as hit
        on missing.slot = hit.slot and missing.time_zone = hit.time_zone and missing.block = hit.block
),

found as (
    select
        order_id,
        max(customer_id) over (partition by time_zone, block order by place, order_id {_SO_FAR}) as customer_id
    from (
        select 0 as order_id, customer_id, time_zone, block, place from residents
        union all
        select order_id, null, time_zone, block, place
        from ({_past_gaps("slot, time_zone, block", "hits", "resident_gaps")})
    )
    qualify order_id > 0
),

bought as (
    select drawn.order_id, coalesce(found.customer_id, drawn.buyer) as customer_id, drawn.slot, drawn.ordered_ms
    from drawn
    left join found on drawn.order_id = found.order_id
)

select
    bought.order_id,
    bought.customer_id,
    bought.slot,
    {_instant("bought.ordered_ms")} as ordered_at,
    first_orders.customer_id is null
        and row_number() over (partition by bought.customer_id order by bought.ordered_ms, bought.order_id) = 1
        as is_first,
    ? as run_id
from bought
left join truth.first_orders on bought.customer_id = first_orders.customer_id and first_orders.order_id < ?
"""

# Binds: those of DRAWS.
DRAW_ORDERS = f"""
insert into truth.orders (order_id, customer_id, slot, ordered_at, is_first, run_id)
{DRAWS}
"""

# Binds: first and next order.
REMEMBER_FIRST_ORDERS = """
insert into truth.first_orders (customer_id, order_id)
select customer_id, order_id
from truth.orders
where order_id >= ? and order_id < ? and is_first
"""

_TRAITS = (
    "order_id customer_id ordered_ms is_first customer_segment time_zone state price_sensitivity favourite_category "
    "preferred_channel value_factor"
).split()
_GIVEN = ", ".join(f"shards.{name}" for name in ("configuration", *_TRAITS))


def orders_in_shards(shard: str, configuration: str, chosen: str) -> str:
    """Orders with their customers' traits; the settings stand in the first row of each shard."""
    return f"""
    select
        shard, {", ".join(_TRAITS)},
        iff(row_number() over (partition by shard order by order_id) = 1, configuration, null) as configuration
    from (
        select
            ({shard})::number(9, 0) as shard,
            {configuration} as configuration,
            orders.order_id, orders.customer_id, {milliseconds_of("orders.ordered_at")} as ordered_ms, orders.is_first,
            customers.customer_segment, customers.time_zone, customers.state,
            (customers.price_sensitivity * 1000)::number(4, 0) as price_sensitivity,
            customers.favourite_category, customers.preferred_channel, customers.value_factor
        from truth.orders
        inner join truth.customers on orders.customer_id = customers.customer_id
        {chosen}
    )
"""


# The run's. Binds: first order, size of a shard, configuration, first and next order.
_ORDERS = orders_in_shards(
    "floor((orders.order_id - ?) / ?)", "?", "where orders.order_id >= ? and orders.order_id < ?"
)

# Binds: run, those of _ORDERS.
PURCHASES = f"""
select
    floor(made.ordered_ms / 1800000)::number(9, 0) * 10000000000 + 2000000000 + mod(made.order_id, 1000000000)
        as event_id,
    'purchase' as event_type,
    {_instant("made.ordered_ms")} as event_time,
    object_construct(
        'order_id', made.order_id, 'customer_id', made.customer_id, 'customer_segment', made.customer_segment,
        'ordered_at', {text_of_instant(_instant("made.ordered_ms"))},
        'sales_channel', made.sales_channel, 'device', made.device, 'payment_method', made.payment_method,
        'shipping_method', made.shipping_method, 'warehouse_id', nullif(made.warehouse_id, 0),
        'ship_state', made.ship_state, 'is_repeat_customer', not made.is_first, 'currency', 'USD',
        'subtotal', {_dollars("made.subtotal")}, 'discount_total', {_dollars("made.discount_total")},
        'tax_total', {_dollars("made.tax_total")}, 'shipping_total', {_dollars("made.shipping_total")},
        'final_total', {_dollars("made.final_total")}, 'lines', parse_json(made.lines)
    )::variant as event_data,
    made.checksum,
    ? as run_id,
    sysdate() as created_at
from ({_ORDERS}) as shards,
table(core.purchase_events({_GIVEN}) over (partition by shards.shard)) as made
"""
EMIT_PURCHASES = _LAND + PURCHASES

_FIX = """
insert into pipeline.due_events (
    kind, event_number, due_at, due_slot, event_data, checksum, run_id, cause, caused_by, probability
)
"""
_CAUSE = """
    made.cause, iff(made.cause is null, null, made.caused_by) as caused_by,
    iff(made.cause is null, null, made.likely * 0.000001)::number(7, 6) as probability"""


def fulfilment(orders: str) -> str:
    """What follows from orders; the run's id is a bind and comes first."""
    return f"""
select
    made.kind,
    made.event_number,
    {_instant("made.due_ms")} as due_at,
    floor(made.due_ms / 1800000)::number(9, 0) as due_slot,
    iff(
        made.kind = 3,
        object_construct(
            'return_id', made.event_number, 'order_id', made.order_id, 'line_number', made.line_number,
            'customer_id', made.customer_id, 'product_id', made.product_id, 'category_name', made.category_name,
            'quantity', made.quantity, 'refund_total', {_dollars("made.refund")}, 'reason', made.reason,
            'returned_at', {text_of_instant(_instant("made.due_ms"))}
        ),
        object_construct(
            'movement_id', made.event_number, 'movement_type', made.movement_type, 'order_id', made.order_id,
            'warehouse_id', made.warehouse_id, 'quantity', made.quantity,
            'delay_days', nullif(made.delay_days, 0), 'reason', made.reason,
            'occurred_at', {text_of_instant(_instant("made.due_ms"))}
        )
    )::variant as event_data,
    made.checksum,
    ? as run_id,{_CAUSE}
from ({orders}) as shards,
table(core.fulfilment_events({_GIVEN}) over (partition by shards.shard)) as made
"""


def marketing(shards: str) -> str:
    """The touches that go with sign-ups and orders; the run's id is a bind and comes first."""
    return f"""
select
    4 as kind,
    made.event_number,
    {_instant("made.due_ms")} as due_at,
    floor(made.due_ms / 1800000)::number(9, 0) as due_slot,
    object_construct(
        'touch_id', made.event_number, 'customer_id', nullif(made.customer_id, 0), 'channel_name', made.channel_name,
        'campaign_name', made.campaign_name, 'touch_type', made.touch_type, 'cost', {_dollars("made.cost")},
        'occurred_at', {text_of_instant(_instant("made.due_ms"))}
    )::variant as event_data,
    made.checksum,
    ? as run_id,{_CAUSE}
from ({shards}) as shards,
table(core.marketing_events(
    shards.configuration, shards.order_id, shards.customer_id, shards.at_ms, shards.acquisition_channel
) over (partition by shards.shard)) as made
"""


def touched_in_shards(shard: str, configuration: str, of_customers: str, of_orders: str, joined: str) -> str:
    """Sign-ups (order_id 0) and orders; the settings stand in the first row of each shard."""
    return f"""
    select
        shard, order_id, customer_id, at_ms, acquisition_channel,
        iff(row_number() over (partition by shard order by order_id, customer_id) = 1, configuration, null)
            as configuration
    from (
        select
            ({shard})::number(9, 0) as shard,
            {configuration} as configuration,
            touched.order_id, touched.customer_id, touched.at_ms, touched.acquisition_channel
        from (
            select
                0 as order_id, customer_id, acquisition_channel, run_id, {milliseconds_of("signed_up_at")} as at_ms
            from truth.customers {of_customers}
            union all
            select order_id, customer_id, null, run_id, {milliseconds_of("ordered_at")}
            from truth.orders {of_orders}
        ) as touched
        {joined}
    )
"""


_TOUCHED = touched_in_shards(
    "floor((row_number() over (order by touched.order_id, touched.customer_id) - 1) / ?)", "?",
    "where customer_id >= ? and customer_id < ?", "where order_id >= ? and order_id < ?", "",
)  # fmt: skip

# Binds: run, those of _ORDERS.
FIX_FULFILMENT = _FIX + fulfilment(_ORDERS)

# Binds: run, size of a shard, configuration, first and next customer, first and next order.
FIX_MARKETING = _FIX + marketing(_TOUCHED)

# Binds: run, rows.
STOCK = f"""
select
    5 as kind,
    value:event_number::number(18, 0) as event_number,
    {_instant("value:due_ms::number(18, 0)")} as due_at,
    floor(value:due_ms::number(18, 0) / 1800000)::number(9, 0) as due_slot,
    object_construct(
        'movement_id', value:event_number::number(18, 0), 'movement_type', value:movement_type::varchar,
        'warehouse_id', value:warehouse_id::number(9, 0), 'category_name', value:category_name::varchar,
        'quantity', value:quantity::number(9, 0),
        'occurred_at', {text_of_instant(_instant("value:due_ms::number(18, 0)"))}
    )::variant as event_data,
    value:checksum::number(18, 0) as checksum,
    ? as run_id,
    null as cause, null as caused_by, null as probability
from table(flatten(input => parse_json(?)))
"""
FIX_STOCK = _FIX + STOCK

# Why things happen, kept before they do. Binds: run.
REMEMBER_CAUSES = """
insert into truth.event_causes (event_type, event_number, cause, caused_by, probability, run_id)
select
    case kind when 3 then 'return' when 4 then 'marketing_touch' else 'supply_chain' end as event_type,
    event_number, cause, caused_by, probability, run_id
from pipeline.due_events
where run_id = ? and cause is not null
"""

# The events that are due before an instant, of marketing and supply chain no more than asked for, the oldest first.
# Binds: end of the window, most touches, most movements.
_AT_MOST = """
    qualify
        row_number() over (partition by kind order by due_at, event_number)
        <= case kind when 4 then ? when 5 then ? else 1000000000 end
"""
_DUE = f"""
    select kind, event_number, due_at, due_slot, event_data, checksum
    from pipeline.due_events
    where due_at < {bound_instant()}
    {_AT_MOST}
"""

# Late ones take the window's first slot into their id, so that ids grow from run to run. Binds: first slot.
DUE_EVENTS = """
select
    greatest(due_slot, ?) * 10000000000 + kind * 1000000000 + mod(event_number, 1000000000) as event_id,
    case kind when 3 then 'return' when 4 then 'marketing_touch' else 'supply_chain' end as event_type,
    due_at as event_time,
    event_data,
    checksum
"""

# Binds: first slot, run, those of _DUE.
EMIT_DUE = f"""
{_LAND}
{DUE_EVENTS}, ?, sysdate()
from ({_DUE})
"""

# Binds: those of _DUE.
FORGET_DUE = f"delete from pipeline.due_events where (kind, event_number) in (select kind, event_number from ({_DUE}))"

# What a run has landed, by kind: how many, and the sum of their hashes. Binds: least event_id, run.
COUNT_LANDED = """
select event_type, count(*) as events, sum(checksum)::number(38, 0) as checksum
from raw_data.raw_retail_events
where event_id >= ? and run_id = ?
group by event_type
"""

# Binds: end of the window (null: it stays), next customer, next order, segments.
ADVANCE_STATE = f"""
update pipeline.generation_state
set
    window_end = greatest(coalesce({bound_instant()}, window_end), coalesce(window_end, {EPOCH})),
    next_customer = ?,
    next_order = ?,
    known_segments = parse_json(?)
where state_id = 1
"""

RECORD_END = f"""
update reference_data.data_generation_audit
set
    generated_counts = parse_json(?),
    first_numbers = parse_json(?),
    seed = ?,
    law_version = ?,
    window_start = {bound_instant()},
    window_end = {bound_instant()},
    status = 'COMPLETED',
    execution_seconds = ?,
    table_checksums = parse_json(?),
    configuration_snapshot = parse_json(?),
    events_checksum = ?,
    summary = ?
where run_id = ?
"""

RECORD_FAILURE = """
update reference_data.data_generation_audit
set status = 'FAILED', error_message = ?, execution_seconds = ?
where run_id = ?
"""

# The chunks of the past.

# The windows that are generated and overlap one: the newest reset forgets those before it, and a half-hour that was open
# is still to come. Binds: end, start.
OVERLAPPING = f"""
select
    count(*), {text_of_instant("min(window_start)")}, {text_of_instant("max(window_end)")}
from reference_data.data_generation_audit
where
    run_type = 'GENERATION'
    and status = 'COMPLETED'
    and window_start < {bound_instant()}
    and window_end > {bound_instant()}
    and mod(datediff('millisecond', {EPOCH}, window_end), 1800000) = 0
    and run_timestamp > coalesce(
        (
            select max(run_timestamp)
            from reference_data.data_generation_audit
            where run_type = 'RESET' and status = 'COMPLETED'
        ),
        {EPOCH}
    )
"""

# The same call, if it has not ended. Binds: start, end, orders per day twice.
UNFINISHED_FILL = f"""
select max(fill_id)
from pipeline.historical_chunks
where
    range_start = {bound_instant()} and range_end = {bound_instant()}
    and coalesce(events_per_day, -1) = coalesce(?, -1) and status <> 'COMPLETED'
"""
CONTINUE_FILL = """
update pipeline.historical_chunks
set status = 'WAITING', changed_at = sysdate()
where fill_id = ? and status = 'STOPPED'
"""

# What another call planned for the same time and never made. Binds: end, start.
FORGET_PLANNED = f"""
delete from pipeline.historical_chunks
where status <> 'COMPLETED' and window_start < {bound_instant()} and window_end > {bound_instant()}
"""

# Binds: fill, start, end, orders per day, rows.
PLAN_CHUNKS = f"""
insert into pipeline.historical_chunks (
    fill_id, range_start, range_end, events_per_day, chunk_number, window_start, window_end, purchase_events,
    status, changed_at
)
select
    ?, {bound_instant()}, {bound_instant()}, ?,
    value[0]::number(9, 0),
    to_timestamp_ntz(value[1]::varchar, {FORMAT}),
    to_timestamp_ntz(value[2]::varchar, {FORMAT}),
    value[3]::number(9, 0),
    'WAITING',
    sysdate()
from table(flatten(input => parse_json(?)))
"""

# Binds: fill.
NEXT_CHUNK = f"""
select chunk_number, {text_of_instant("window_start")}, {text_of_instant("window_end")}, purchase_events
from pipeline.historical_chunks
where fill_id = ? and status = 'WAITING'
order by chunk_number
limit 1
"""

# Binds: run, fill, chunk.
TAKE_CHUNK = """
update pipeline.historical_chunks
set status = 'COMPLETED', run_id = ?, changed_at = sysdate()
where fill_id = ? and chunk_number = ? and status = 'WAITING'
"""

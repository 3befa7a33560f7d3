-- Each customer's story: what stands in the profiles and facts, in the order in which it happened.

create or replace view gold.customer_timeline (
    customer_id comment 'Whose story it is: gold.dim_customers.customer_id',
    occurred_at comment 'When it happened, UTC',
    event_kind comment 'sign-up, order, delivery, return, impression, click or conversion',
    detail comment 'What it was, in words',
    amount comment 'What was paid, negative where it was paid back; null where no money moved'
)
copy grants
comment = 'All that happened with a customer, amounts in USD. One row per customer and event.'
as
select
    customer_id,
    signed_up_at as occurred_at,
    'sign-up' as event_kind,
    'through ' || coalesce(acquisition_channel, 'unknown') as detail,
    null::number(18, 2) as amount
from gold.customer_profiles
union all
select customer_id, ordered_at, 'order', 'order ' || order_id || ', ' || item_count || ' pieces, ' || coalesce(sales_channel, 'unknown'), final_total
from gold.fct_sales
union all
select sales.customer_id, shipments.delivered_at, 'delivery', 'order ' || shipments.order_id || iff(shipments.delay_days > 0, ', late', ''), null
from gold.fct_shipments as shipments
inner join gold.fct_sales as sales
    on shipments.order_id = sales.order_id
where shipments.delivered_at is not null
union all
select customer_id, returned_at, 'return', 'of order ' || order_id || coalesce(': ' || reason, ''), -refund_total
from gold.fct_returns
union all
select customer_id, occurred_at, touch_type, channel_name || coalesce(', ' || campaign_name, ''), null
from gold.fct_marketing_touches;

grant select on view gold.customer_timeline to application role app_analyst;

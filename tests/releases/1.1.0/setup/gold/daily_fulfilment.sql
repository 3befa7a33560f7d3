-- How warehouses keep up, by the day on which orders were picked.

create or replace view gold.daily_fulfilment (
    pick_date comment 'The UTC day of picking: gold.dim_dates.calendar_date',
    warehouse_id comment 'The warehouse: reference_data.warehouses.warehouse_id',
    orders comment 'Orders picked',
    items comment 'Pieces picked',
    shipped_orders comment 'Those of them that have left the warehouse by now',
    delivered_orders comment 'Those of them that have arrived by now',
    delayed_orders comment 'Those of them that were announced as late',
    delayed_by_stock_out comment 'Those of delayed_orders that waited for stock',
    delay_days comment 'Days of delay that were announced, over all delayed_orders',
    hours_to_ship comment 'Mean hours from picking to leaving, of shipped_orders; null without any',
    hours_to_deliver comment 'Mean hours from picking to arriving, of delivered_orders; null without any'
)
copy grants
comment = 'Shipping by day; sums and means over gold.fct_shipments. One row per warehouse and day of picking.'
as
select
    picked_at::date as pick_date,
    warehouse_id,
    count(*) as orders,
    sum(coalesce(quantity, 0)) as items,
    count(shipped_at) as shipped_orders,
    count(delivered_at) as delivered_orders,
    count(iff(delay_days > 0, 1, null)) as delayed_orders,
    count(iff(delay_days > 0 and delay_reason = 'stock_out', 1, null)) as delayed_by_stock_out,
    sum(delay_days) as delay_days,
    round(avg(datediff('second', picked_at, shipped_at)) / 3600, 2)::number(9, 2) as hours_to_ship,
    round(avg(datediff('second', picked_at, delivered_at)) / 3600, 2)::number(9, 2) as hours_to_deliver
from gold.fct_shipments
where picked_at is not null and warehouse_id is not null
group by picked_at::date, warehouse_id;

grant select on view gold.daily_fulfilment to application role app_analyst;

-- What left and what came, by warehouse, category and day, without a hole from the first day of each to the last of all. Events tell what is
-- picked, when stock runs out and what then fills it up; of opening stock and regular supply they tell nothing. So the balance is what was
-- seen, and falls: what is missing in it came unseen.

create or replace view gold.daily_stock (
    stock_date comment 'The UTC day: gold.dim_dates.calendar_date',
    warehouse_id comment 'The warehouse: reference_data.warehouses.warehouse_id',
    category_name comment 'reference_data.product_categories.category_name; unknown where nobody told',
    picked comment 'Pieces picked for orders',
    restocked comment 'Pieces that came after a stock-out',
    stock_outs comment 'How often stock ran out',
    restocks comment 'How often it was filled up',
    balance comment 'Pieces restocked less pieces picked, since the first day',
    is_out_of_stock comment 'Whether stock was out at the end of the day'
)
copy grants
comment = 'Stock by day, in pieces; sums over gold.fct_shipments with their lines and gold.fct_stock_movements. One row per warehouse, category and day.'
as
with

movements as (
    select
        shipments.picked_at::date as stock_date,
        shipments.warehouse_id,
        coalesce(lines.category_name, 'unknown') as category_name,
        sum(lines.quantity) as picked,
        0 as restocked,
        0 as stock_outs,
        0 as restocks
    from gold.fct_shipments as shipments
    inner join gold.fct_sale_lines as lines
        on shipments.order_id = lines.order_id
    where shipments.picked_at is not null and shipments.warehouse_id is not null
    group by 1, 2, 3
    union all
    select
        movement_date,
        warehouse_id,
        coalesce(category_name, 'unknown'),
        0,
        sum(iff(movement_type = 'restock', coalesce(quantity, 0), 0)),
        count(iff(movement_type = 'stock_out', 1, null)),
        count(iff(movement_type = 'restock', 1, null))
    from gold.fct_stock_movements
    where warehouse_id is not null
    group by 1, 2, 3
),

places as (
    select
        warehouse_id,
        category_name,
        min(stock_date) as first_date,
        max(max(stock_date)) over () as last_date
    from movements
    group by warehouse_id, category_name
),

days as (
    select dates.calendar_date as stock_date, places.warehouse_id, places.category_name
    from places
    inner join gold.dim_dates as dates
        on dates.calendar_date between places.first_date and places.last_date
),

sums as (
    select
        days.stock_date,
        days.warehouse_id,
        days.category_name,
        coalesce(sum(movements.picked), 0) as picked,
        coalesce(sum(movements.restocked), 0) as restocked,
        coalesce(sum(movements.stock_outs), 0) as stock_outs,
        coalesce(sum(movements.restocks), 0) as restocks
    from days
    left join movements
        on
            days.stock_date = movements.stock_date
            and days.warehouse_id = movements.warehouse_id
            and days.category_name = movements.category_name
    group by 1, 2, 3
)

select
    stock_date,
    warehouse_id,
    category_name,
    picked,
    restocked,
    stock_outs,
    restocks,
    sum(restocked - picked) over (
        partition by warehouse_id, category_name order by stock_date rows between unbounded preceding and current row
    ) as balance,
    sum(stock_outs - restocks) over (
        partition by warehouse_id, category_name order by stock_date rows between unbounded preceding and current row
    ) > 0 as is_out_of_stock
from sums;

grant select on view gold.daily_stock to application role app_analyst;

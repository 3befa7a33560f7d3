-- What products cost at any time, as far as sales tell: a price holds from the first line that shows it to the first that shows another.
-- Read from the lines themselves, so that lines may arrive in any order; a filter on product_id reads that product's lines only.

create or replace view gold.product_prices (
    product_id comment 'The product: gold.dim_products.product_id',
    unit_price comment 'List price of a piece',
    unit_cost comment 'What a piece cost us',
    valid_from comment 'When it was first sold at this price, UTC',
    valid_to comment 'When it was first sold at the next one, UTC; null while this one holds',
    is_current comment 'Whether this is the price at which it was last sold',
    line_count comment 'Order lines at this price in this period',
    items comment 'Pieces sold at this price in this period'
)
copy grants
comment = 'History of prices and costs, amounts in USD; valid_from belongs to the period, valid_to does not. One row per product and period of one price.'
as
with

lines as (
    select product_id, unit_price, unit_cost, ordered_at, order_id, line_number, quantity
    from gold.fct_sale_lines
),

changes as (
    select
        lines.*,
        iff(
            unit_price = lag(unit_price) over (partition by product_id order by ordered_at, order_id, line_number)
            and unit_cost = lag(unit_cost) over (partition by product_id order by ordered_at, order_id, line_number),
            0, 1
        ) as is_change
    from lines
),

numbered as (
    select
        changes.*,
        sum(is_change) over (
            partition by product_id order by ordered_at, order_id, line_number rows between unbounded preceding and current row
        ) as period
    from changes
),

periods as (
    select
        product_id, period, unit_price, unit_cost, min(ordered_at) as valid_from, count(*) as line_count, sum(quantity) as items
    from numbered
    group by product_id, period, unit_price, unit_cost
)

select
    product_id,
    unit_price,
    unit_cost,
    valid_from,
    lead(valid_from) over (partition by product_id order by period) as valid_to,
    lead(valid_from) over (partition by product_id order by period) is null as is_current,
    line_count,
    items
from periods;

grant select on view gold.product_prices to application role app_analyst;

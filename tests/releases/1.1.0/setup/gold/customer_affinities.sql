-- What customers turn out to like, by what they bought; gold.dim_customers.favourite_category is what they say. Summed up when read.

create or replace view gold.customer_affinities (
    customer_id comment 'The customer: gold.dim_customers.customer_id',
    category_name comment 'The category: reference_data.product_categories.category_name',
    orders comment 'Orders of the customer in which it occurs',
    quantity comment 'Pieces bought of it',
    line_total comment 'What was paid for them, before tax and shipping, USD',
    spending_share comment 'Its share of all that the customer paid for products; null where that is nothing',
    affinity comment 'spending_share over the same share of all customers: above 1, it is liked better than by others'
)
copy grants
comment = 'Product affinity by behaviour; sums over gold.fct_sale_lines. One row per customer and category bought from.'
as
with

lines as (
    select
        customer_id,
        order_id,
        category_name,
        quantity,
        line_total
    from gold.fct_sale_lines
),

bought as (
    select
        customer_id,
        category_name,
        count(distinct order_id) as orders,
        sum(quantity) as quantity,
        sum(line_total) as line_total
    from lines
    group by customer_id, category_name
),

shares as (
    select
        bought.*,
        line_total / nullif(sum(line_total) over (partition by customer_id), 0) as spending_share,
        sum(line_total) over (partition by category_name) / nullif(sum(line_total) over (), 0) as everybodys_share
    from bought
)

select
    customer_id,
    category_name,
    orders,
    quantity,
    line_total,
    spending_share::number(9, 6) as spending_share,
    (spending_share / nullif(everybodys_share, 0))::number(12, 4) as affinity
from shares;

grant select on view gold.customer_affinities to application role app_analyst;

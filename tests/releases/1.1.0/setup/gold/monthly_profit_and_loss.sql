-- Profit and loss, from what was really charged, discounted, paid back and paid for goods. What marketing cost in a month is spread over the
-- categories in proportion to their net_revenue of the month, to the cent. What carriers were paid no event tells.

create or replace view gold.monthly_profit_and_loss (
    revenue_month comment 'First day of the month',
    category_name comment 'reference_data.product_categories.category_name; unknown where nobody told',
    orders comment 'Orders, each in the category of its first line only',
    items comment 'Pieces sold',
    gross_revenue comment 'Sum of quantity x unit_price',
    discount_total comment 'Discounts',
    net_revenue comment 'gross_revenue - discount_total',
    refund_total comment 'What was paid back in the month, whenever the goods were sold',
    revenue_after_returns comment 'net_revenue - refund_total',
    cost_total comment 'What the goods that were sold cost us',
    recovered_cost comment 'What goods had cost us that came back in the month and can be sold again',
    gross_profit comment 'revenue_after_returns - cost_total + recovered_cost',
    gross_margin_rate comment 'gross_profit / revenue_after_returns; null where that is not above 0',
    shipping_total comment 'What customers paid for shipping',
    marketing_spend comment 'Share of what marketing cost in the month',
    contribution comment 'gross_profit + shipping_total - marketing_spend',
    tax_total comment 'Sales tax that passes through; part of no line above'
)
copy grants
comment = 'Profit and loss, amounts in USD; sums over gold.daily_revenue and gold.daily_marketing. One row per month and category.'
as
with

spends as (
    select date_trunc('month', touch_date)::date as revenue_month, round(sum(spend), 2) as spend
    from gold.daily_marketing
    group by 1
),

sums as (
    select
        date_trunc('month', revenue_date)::date as revenue_month,
        category_name,
        sum(orders) as orders,
        sum(items) as items,
        sum(gross_revenue) as gross_revenue,
        sum(discount_total) as discount_total,
        sum(net_revenue) as net_revenue,
        sum(refund_total) as refund_total,
        sum(cost_total) as cost_total,
        sum(recovered_cost) as recovered_cost,
        sum(shipping_total) as shipping_total,
        sum(tax_total) as tax_total
    from gold.daily_revenue
    group by 1, 2
    union all
    -- a month that cost and sold nothing
    select revenue_month, 'unknown', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from spends
    where revenue_month not in (select date_trunc('month', revenue_date)::date from gold.daily_revenue)
),

running as (
    select
        sums.*,
        sum(net_revenue) over (
            partition by revenue_month order by category_name rows between unbounded preceding and current row
        ) as revenue_so_far,
        sum(net_revenue) over (partition by revenue_month) as revenue_of_month,
        row_number() over (partition by revenue_month order by category_name) as place
    from sums
),

spread as (
    -- differences of a rounded running share add up to the whole
    select
        running.*,
        case
            when spends.spend is null then 0
            when revenue_of_month = 0 then iff(place = 1, spends.spend, 0)
            else
                round(spends.spend * revenue_so_far / revenue_of_month, 2)
                - round(spends.spend * (revenue_so_far - net_revenue) / revenue_of_month, 2)
        end::number(18, 2) as marketing_spend
    from running
    left join spends
        on running.revenue_month = spends.revenue_month
)

select
    revenue_month,
    category_name,
    orders,
    items,
    gross_revenue,
    discount_total,
    net_revenue,
    refund_total,
    net_revenue - refund_total as revenue_after_returns,
    cost_total,
    recovered_cost,
    net_revenue - refund_total - cost_total + recovered_cost as gross_profit,
    iff(
        net_revenue > refund_total,
        round((net_revenue - refund_total - cost_total + recovered_cost) / nullif(net_revenue - refund_total, 0), 6),
        null
    )::number(18, 6) as gross_margin_rate,
    shipping_total,
    marketing_spend,
    net_revenue - refund_total - cost_total + recovered_cost + shipping_total - marketing_spend as contribution,
    tax_total
from spread;

grant select on view gold.monthly_profit_and_loss to application role app_analyst;

-- What campaigns reach, cost and win. Customers count for the campaign, and in the month, of the touch that won them; what they have bought
-- since counts there too, to date.

create or replace view gold.campaign_performance (
    performance_month comment 'First day of the month',
    channel_name comment 'The channel: reference_data.marketing_channels.channel_name',
    campaign_name comment 'The campaign: reference_data.marketing_campaigns.campaign_name; none outside campaigns',
    touches comment 'Touches of every type',
    impressions comment 'Touches that customers saw',
    customer_clicks comment 'Clicks of customers, on what they saw',
    prospect_clicks comment 'Clicks of people who are no customers and did not become one by them',
    conversions comment 'Customers won',
    spend comment 'What all touches cost',
    engagement_rate comment 'customer_clicks / impressions; null without any',
    conversion_rate comment 'conversions / (conversions + prospect_clicks); null without any',
    cost_per_acquisition comment 'spend / conversions; null without any',
    buyers comment 'Those of the customers won who have bought',
    net_revenue comment 'What the customers won have bought to date, after discounts, before returns',
    margin comment 'net_revenue less what the goods cost us',
    return_on_spend comment 'margin / spend; null where nothing was spent'
)
copy grants
comment = 'Campaigns by month, amounts in USD; sums over gold.daily_marketing and gold.fct_sales. One row per month, channel and campaign.'
as
with

months as (
    select
        date_trunc('month', touch_date)::date as performance_month,
        channel_name,
        campaign_name,
        sum(touches) as touches,
        sum(impressions) as impressions,
        sum(customer_clicks) as customer_clicks,
        sum(prospect_clicks) as prospect_clicks,
        sum(conversions) as conversions,
        sum(spend) as spend
    from gold.daily_marketing
    group by 1, 2, 3
),

won as (
    -- who was won twice counts where it happened first
    select
        customer_id,
        channel_name,
        coalesce(campaign_name, 'none') as campaign_name,
        date_trunc('month', touch_date)::date as performance_month
    from gold.fct_marketing_touches
    where touch_type = 'conversion' and customer_id is not null
    qualify row_number() over (partition by customer_id order by occurred_at, touch_id) = 1
),

sales as (
    select customer_id, sum(subtotal - discount_total) as net_revenue, sum(margin) as margin
    from gold.fct_sales
    group by customer_id
),

bought as (
    select
        won.performance_month,
        won.channel_name,
        won.campaign_name,
        count(*) as buyers,
        sum(sales.net_revenue) as net_revenue,
        sum(sales.margin) as margin
    from won
    inner join sales
        on won.customer_id = sales.customer_id
    group by 1, 2, 3
)

select
    months.performance_month,
    months.channel_name,
    months.campaign_name,
    months.touches,
    months.impressions,
    months.customer_clicks,
    months.prospect_clicks,
    months.conversions,
    months.spend,
    round(months.customer_clicks / nullif(months.impressions, 0), 6)::number(9, 6) as engagement_rate,
    round(months.conversions / nullif(months.conversions + months.prospect_clicks, 0), 6)::number(9, 6) as conversion_rate,
    round(months.spend / nullif(months.conversions, 0), 2)::number(18, 2) as cost_per_acquisition,
    coalesce(bought.buyers, 0) as buyers,
    coalesce(bought.net_revenue, 0) as net_revenue,
    coalesce(bought.margin, 0) as margin,
    round(coalesce(bought.margin, 0) / nullif(months.spend, 0), 4)::number(18, 4) as return_on_spend
from months
left join bought
    on
        months.performance_month = bought.performance_month
        and months.channel_name = bought.channel_name
        and months.campaign_name = bought.campaign_name;

grant select on view gold.campaign_performance to application role app_analyst;

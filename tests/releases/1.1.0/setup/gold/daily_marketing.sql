-- What campaigns reached and cost, by day; rates and what became of the customers they won: gold.campaign_performance. Filled by
-- core.transform_bronze_to_gold, which adds the touches of a batch.

create table if not exists gold.daily_marketing (
    touch_date date not null comment 'The UTC day: gold.dim_dates.calendar_date',
    channel_name varchar not null comment 'The channel: reference_data.marketing_channels.channel_name',
    campaign_name varchar not null comment 'The campaign: reference_data.marketing_campaigns.campaign_name; none outside campaigns',
    touches number(12, 0) not null comment 'Touches of every type',
    impressions number(12, 0) not null comment 'Touches that customers saw',
    customer_clicks number(12, 0) not null comment 'Clicks of customers, on what they saw',
    prospect_clicks number(12, 0) not null comment 'Clicks of people who are no customers and did not become one by them',
    conversions number(12, 0) not null comment 'Clicks that ended in a sign-up: customers won',
    spend number(18, 4) not null comment 'What all touches cost',
    changed_at timestamp_ntz not null comment 'When a batch last changed the row, UTC'
)
comment = 'Marketing by day, costs in USD; sums over gold.fct_marketing_touches. One row per day, channel and campaign.';

grant select on table gold.daily_marketing to application role app_analyst;

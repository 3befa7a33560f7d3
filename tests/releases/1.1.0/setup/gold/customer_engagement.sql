-- How customers answer marketing, as counts that a batch adds to; gold.dim_customers makes engagement_score of them.

create table if not exists gold.customer_engagement (
    customer_id number(18, 0) not null comment 'The customer: gold.dim_customers.customer_id',
    channel_name varchar not null comment 'The channel: reference_data.marketing_channels.channel_name',
    impressions number(12, 0) not null comment 'Touches that were seen',
    clicks number(12, 0) not null comment 'Touches that were clicked',
    conversions number(12, 0) not null comment 'Touches that ended in a sign-up',
    cost number(18, 4) not null comment 'What all touches cost, USD',
    first_touch_at timestamp_ntz not null comment 'When the first touch happened, UTC',
    last_touch_at timestamp_ntz not null comment 'When the last touch happened, UTC',
    changed_at timestamp_ntz not null comment 'When a batch last changed the row, UTC'
)
comment = 'Touches summed up, costs in USD; sums over gold.fct_marketing_touches. One row per customer and channel.';

grant select on table gold.customer_engagement to application role app_analyst;

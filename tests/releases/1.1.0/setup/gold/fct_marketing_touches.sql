-- Contacts of campaigns with people, and what they cost. Filled by core.transform_bronze_to_gold, by appending.

create table if not exists gold.fct_marketing_touches (
    touch_id number(18, 0) not null comment 'The touch; unique',
    event_id number(18, 0) not null comment 'The event it came from: bronze.stg_marketing_touches.event_id',
    customer_id number(18, 0) comment 'Who was touched: gold.dim_customers.customer_id; null where the person is not a customer',
    channel_name varchar not null comment 'The channel: reference_data.marketing_channels.channel_name',
    campaign_name varchar comment 'The campaign: reference_data.marketing_campaigns.campaign_name; null outside campaigns',
    touch_type varchar not null comment 'impression, click or conversion (a sign-up)',
    cost number(12, 4) not null comment 'What the touch cost, USD',
    occurred_at timestamp_ntz not null comment 'When it happened, UTC',
    touch_date date not null comment 'The UTC day of occurred_at',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the touch',
    loaded_at timestamp_ntz not null comment 'When the row reached gold, UTC'
)
comment = 'Contacts of campaigns with people, costs in USD. One row per touch.';

grant select on table gold.fct_marketing_touches to application role app_analyst;

-- Contacts of campaigns with customers, typed. Filled by core.transform_raw_to_bronze.

create table if not exists bronze.stg_marketing_touches (
    event_id number(18, 0) not null comment 'The raw event this row came from; unique',
    touch_id number(18, 0) not null comment 'The touch',
    customer_id number(18, 0) comment 'Who was touched; null where the person is not a customer',
    channel_name varchar not null comment 'The channel: reference_data.marketing_channels.channel_name',
    campaign_name varchar comment 'The campaign: reference_data.marketing_campaigns.campaign_name',
    touch_type varchar not null comment 'impression, click or conversion',
    cost number(12, 4) not null comment 'What the touch cost, USD; four decimals, because an impression costs less than a cent',
    occurred_at timestamp_ntz not null comment 'When it happened, UTC',
    run_id varchar not null comment 'The run that generated the event',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the row; grows by one per batch',
    loaded_at timestamp_ntz not null comment 'When the row reached bronze, UTC'
)
comment = 'Contacts of campaigns with people, costs in USD. One row per marketing_touch event.';

grant select on table bronze.stg_marketing_touches to application role app_analyst;

-- Returned goods, typed. Filled by core.transform_raw_to_bronze.

create table if not exists bronze.stg_returns (
    event_id number(18, 0) not null comment 'The raw event this row came from; unique',
    return_id number(18, 0) not null comment 'The return',
    order_id number(18, 0) not null comment 'The order the goods came from',
    line_number number(9, 0) not null comment 'The line of that order',
    customer_id number(18, 0) not null comment 'Who returned',
    product_id number(18, 0) comment 'The product',
    category_name varchar comment 'Its category: reference_data.product_categories.category_name',
    quantity number(9, 0) not null comment 'Pieces returned',
    refund_total number(12, 2) not null comment 'What was paid back, USD',
    reason varchar comment 'Why it came back',
    returned_at timestamp_ntz not null comment 'When it came back, UTC',
    run_id varchar not null comment 'The run that generated the event',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the row; grows by one per batch',
    loaded_at timestamp_ntz not null comment 'When the row reached bronze, UTC'
)
comment = 'Goods that came back, amounts in USD. One row per return event.';

grant select on table bronze.stg_returns to application role app_analyst;

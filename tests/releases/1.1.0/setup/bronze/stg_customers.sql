-- Customer profiles, typed. Filled by core.transform_raw_to_bronze.

create table if not exists bronze.stg_customers (
    event_id number(18, 0) not null comment 'The raw event this row came from; unique',
    customer_id number(18, 0) not null comment 'The customer',
    first_name varchar comment 'First name',
    last_name varchar comment 'Last name',
    email varchar comment 'E-mail address; of a reserved domain, nobody can be reached by it',
    gender varchar comment 'Gender',
    age number(3, 0) comment 'Age in years at sign-up',
    income number(12, 2) comment 'Yearly household income in USD at sign-up',
    city varchar comment 'City of residence',
    state varchar comment 'State of residence, two letters',
    zip_code varchar comment 'Postal code, a text because of leading zeros',
    time_zone varchar comment 'IANA time zone in which the customer lives and shops',
    customer_segment varchar comment 'Segment at sign-up: reference_data.customer_segments.segment_name',
    price_sensitivity number(9, 6) comment 'From 0 (buys at any price) to 1 (waits for discounts)',
    favourite_category varchar comment 'The category the customer likes best',
    preferred_channel varchar comment 'The sales channel the customer likes best',
    acquisition_channel varchar comment 'The marketing channel that brought the customer',
    signed_up_at timestamp_ntz not null comment 'When the customer signed up, UTC',
    run_id varchar not null comment 'The run that generated the event',
    batch_number number(18, 0) not null comment 'The bronze batch that brought the row; grows by one per batch',
    loaded_at timestamp_ntz not null comment 'When the row reached bronze, UTC'
)
comment = 'Customer profiles as they were told. One row per customer_profile event.';

grant select on table bronze.stg_customers to application role app_analyst;

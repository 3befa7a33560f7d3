-- Who the customers are, as they last told us. Filled by core.transform_bronze_to_gold; the newest event wins, in
-- whatever order events arrive.

create table if not exists gold.customer_profiles (
    customer_id number(18, 0) not null comment 'The customer; unique',
    event_id number(18, 0) not null comment 'The newest profile event: bronze.stg_customers.event_id',
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
    customer_segment varchar comment 'Segment: reference_data.customer_segments.segment_name',
    price_sensitivity number(9, 6) comment 'From 0 (buys at any price) to 1 (waits for discounts)',
    favourite_category varchar comment 'The category the customer likes best',
    preferred_channel varchar comment 'The sales channel the customer likes best',
    acquisition_channel varchar comment 'The marketing channel that brought the customer',
    signed_up_at timestamp_ntz not null comment 'When the customer signed up, UTC'
)
comment = 'Who the customers are; gold.dim_customers joins what they did. One row per customer who signed up.';

grant select on table gold.customer_profiles to application role app_analyst;

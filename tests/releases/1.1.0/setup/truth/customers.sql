-- Who the customers really are. Written once, by the run that signs a customer up; nothing here ever changes.

create table if not exists truth.customers (
    customer_id number(18, 0) not null comment 'The customer''s number; grows in the order of sign-up within a run',
    signed_up_at timestamp_ntz not null comment 'Sign-up, UTC',
    signed_up_slot number(9, 0) not null comment 'Half-hour of the sign-up, counted from 2000-01-01 00:00 UTC',
    dropout_at timestamp_ntz not null comment 'When the customer stops buying for ever, UTC; usually in the future',
    dropout_slot number(9, 0) not null comment 'Half-hour of the dropout; the customer is drawn for orders before it only',
    first_name varchar not null comment 'First name',
    last_name varchar not null comment 'Last name',
    email varchar not null comment 'Address at example.com',
    gender varchar not null comment 'female, male or other',
    age number(3, 0) not null comment 'Age in years at sign-up',
    income number(12, 0) not null comment 'Yearly income, USD',
    city varchar not null comment 'City',
    state varchar not null comment 'State, two letters',
    zip_code varchar not null comment 'A ZIP code of the city',
    time_zone varchar not null comment 'IANA time zone in which the hours of the day are felt',
    customer_segment varchar not null comment 'Segment: reference_data.customer_segments.segment_name at sign-up',
    price_sensitivity number(4, 3) not null comment 'From 0 (never looks at prices) to 1',
    favourite_category varchar not null comment 'Category bought most: reference_data.product_categories.category_name at sign-up',
    preferred_channel varchar not null comment 'web, app, store or phone',
    acquisition_channel varchar not null comment 'Marketing channel of the sign-up: reference_data.marketing_channels.channel_name',
    rate_factor number(18, 0) not null comment 'Purchase rate as millionths of the segment''s purchase_frequency',
    value_factor number(18, 0) not null comment 'Order value as millionths of the segment''s avg_order_value',
    law_version number(9, 0) not null comment 'The law under which the customer was made',
    checksum number(18, 0) not null comment 'Hash of the typed traits',
    run_id varchar not null comment 'The run of the sign-up',
    purchase_rate number(12, 6) comment 'Orders per 30 business days while active, by the settings at sign-up; null for customers of 1.0.0, as the next three',
    order_value number(12, 2) comment 'Mean final_total of the orders, by the settings at sign-up, USD',
    order_margin number(12, 2) comment 'Mean margin of an order, before returns, by the settings at sign-up, USD',
    lifetime_value number(12, 2) comment 'Margin of the orders expected in the 365 days after the sign-up, until the dropout, USD; the order at sign-up is not in it',
    churn_known_at timestamp_ntz comment 'When the label ''no order in 90 days'' is certain, since the customer dropped out, UTC'
)
comment = 'Latent traits of customers, dropout and rates among them. One row per customer.';

-- From 1.1.0 on.
alter table truth.customers add column if not exists purchase_rate number(12, 6) comment 'Orders per 30 business days while active, by the settings at sign-up; null for customers of 1.0.0, as the next three';
alter table truth.customers add column if not exists order_value number(12, 2) comment 'Mean final_total of the orders, by the settings at sign-up, USD';
alter table truth.customers add column if not exists order_margin number(12, 2) comment 'Mean margin of an order, before returns, by the settings at sign-up, USD';
alter table truth.customers add column if not exists lifetime_value number(12, 2) comment 'Margin of the orders expected in the 365 days after the sign-up, until the dropout, USD; the order at sign-up is not in it';
alter table truth.customers add column if not exists churn_known_at timestamp_ntz comment 'When the label ''no order in 90 days'' is certain, since the customer dropped out, UTC';

grant select on table truth.customers to application role app_truth;

-- Who the customers are. A segment that is deleted keeps its last row for the customers it has, and gets no new ones.

create table if not exists reference_data.customer_segments (
    segment_name varchar not null comment 'The segment; unique',
    weight number(12, 6) not null comment 'Share of new customers, relative to the other weights',
    avg_order_value number(12, 2) not null comment 'Mean final_total of an order, USD',
    purchase_frequency number(12, 6) not null comment 'Orders per customer and 30 business days while active',
    description varchar comment 'For readers'
)
comment = 'Kinds of customers: how many, how often they buy, for how much. One row per segment.';

-- Defaults are for the first installation: what a consumer deletes stays deleted.
insert into reference_data.customer_segments (segment_name, weight, avg_order_value, purchase_frequency, description)
select column1, column2, column3, column4, column5
from values
    ('premium', 0.15, 150.00, 0.45, 'Buy often, and dear things'),
    ('regular', 0.60, 75.00, 0.22, 'The middle of the business'),
    ('occasional', 0.25, 60.00, 0.08, 'Come by now and then, for small things')
where not exists (select 1 from reference_data.customer_segments);

grant select, insert, update, delete on table reference_data.customer_segments to application role app_admin;
grant select on table reference_data.customer_segments to application role app_analyst;

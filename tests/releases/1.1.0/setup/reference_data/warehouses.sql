-- Where orders are sent from.

create table if not exists reference_data.warehouses (
    warehouse_id number(9, 0) not null comment 'The warehouse, 1 to 999; unique',
    location_name varchar not null comment 'City and state, such as Columbus, OH: customers of the region are mostly served from here',
    capacity number(12, 0) not null comment 'Orders per day; a warehouse with less than its load delays more and runs out of stock more often',
    description varchar comment 'For readers'
)
comment = 'Warehouses: where they are and how much they can take. One row per warehouse.';

-- Defaults are for the first installation: what a consumer deletes stays deleted.
insert into reference_data.warehouses (warehouse_id, location_name, capacity, description)
select column1, column2, column3, column4
from values
    (1, 'Allentown, PA', 260, 'Northeast'),
    (2, 'Columbus, OH', 280, 'Midwest'),
    (3, 'Atlanta, GA', 300, 'South'),
    (4, 'Dallas, TX', 280, 'South'),
    (5, 'Reno, NV', 320, 'West')
where not exists (select 1 from reference_data.warehouses);

grant select, insert, update, delete on table reference_data.warehouses to application role app_admin;
grant select on table reference_data.warehouses to application role app_analyst;

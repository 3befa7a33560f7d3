-- The calendar in which customers age: how much business each part of the year brings. Who is silent in the weeks before Christmas has been
-- silent for longer than who is so in February; gold.customer_histories counts time by it, and the parameters of gold.customer_model are
-- per week of it. The default rows are the calendar of the default settings; core.fit_customer_model puts that of the settings as
-- they are in their place.

create table if not exists gold.business_calendar (
    part_number number(2, 0) not null comment 'Quarter of a month, counted through the year: 1 to 4 are January''s',
    business_factor number(12, 6) not null comment 'Business of the quarter compared with the mean one; all add up to 48',
    changed_at timestamp_ntz comment 'When the row was taken from the settings, UTC; null for the defaults'
)
comment = 'The business calendar. One row per quarter of a month of the year.';

merge into gold.business_calendar
using (
    select column1 as part_number, column2 as business_factor
    from values
        (1, 0.845627), (2, 0.891573), (3, 0.891600), (4, 0.891651), (5, 0.862779), (6, 0.881074),
        (7, 0.862779), (8, 0.862779), (9, 0.978972), (10, 0.979078), (11, 0.979172), (12, 0.979255),
        (13, 0.952442), (14, 0.952442), (15, 0.952340), (16, 0.952340), (17, 1.008901), (18, 1.008906),
        (19, 1.008938), (20, 1.027748), (21, 0.979080), (22, 0.979080), (23, 0.979158), (24, 0.979158),
        (25, 0.943062), (26, 0.967902), (27, 0.967828), (28, 0.967788), (29, 1.043300), (30, 1.043345),
        (31, 1.043433), (32, 1.043563), (33, 0.960084), (34, 0.942000), (35, 0.941900), (36, 0.941901),
        (37, 0.959057), (38, 0.959000), (39, 0.958981), (40, 0.959001), (41, 0.970816), (42, 0.970816),
        (43, 0.979663), (44, 1.324132), (45, 1.426213), (46, 1.365497), (47, 1.356595), (48, 1.277251)
) as defaults
    on business_calendar.part_number = defaults.part_number
when not matched then
    insert (part_number, business_factor, changed_at)
    values (defaults.part_number, defaults.business_factor, null);

grant select on table gold.business_calendar to application role app_analyst;

-- The calendar in which customers age: how much business each month of the year brings. A customer who is silent in the weeks before
-- Christmas has been silent for longer than one who is so in February; gold.dim_customers counts time by it, and the parameters of
-- gold.customer_model are per week of it. The default rows are the calendar of the default settings; core.fit_customer_model puts
-- that of the settings as they are in their place.

create table if not exists gold.business_months (
    month_number number(2, 0) not null comment 'The month of the year, 1 to 12',
    business_factor number(12, 8) not null comment 'Business of the month compared with the mean month; the twelve add up to 12',
    changed_at timestamp_ntz comment 'When the row was taken from the settings, UTC; null for the defaults'
)
comment = 'The business calendar by month. One row per month of the year.';

merge into gold.business_months
using (
    select column1 as month_number, column2 as business_factor
    from values
        (1, 0.88011252), (2, 0.86735258), (3, 0.97911931), (4, 0.95239123), (5, 1.01362327), (6, 0.97911928),
        (7, 0.96164486), (8, 1.04341000), (9, 0.94647143), (10, 0.95900980), (11, 1.06135678), (12, 1.35638894)
) as defaults
    on business_months.month_number = defaults.month_number
when not matched then
    insert (month_number, business_factor, changed_at)
    values (defaults.month_number, defaults.business_factor, null);

grant select on table gold.business_months to application role app_analyst;

-- The calendar, for joins that must show days on which nothing happened. A view without a table beneath: it reads nothing.

create or replace view gold.dim_dates (
    calendar_date comment 'The day; unique',
    year comment 'Year',
    quarter comment 'Quarter of the year, 1 to 4',
    month comment 'Month of the year, 1 to 12',
    month_start comment 'First day of the month',
    month_name comment 'Name of the month, three letters',
    week_start comment 'Monday of the week',
    iso_week comment 'ISO week of the year, 1 to 53',
    day_of_month comment 'Day of the month, 1 to 31',
    day_of_year comment 'Day of the year, 1 to 366',
    day_of_week comment 'ISO day of the week, 1 (Monday) to 7',
    day_name comment 'Name of the day, three letters',
    is_weekend comment 'Whether it is a Saturday or Sunday',
    holiday_name comment 'The day of the US retail calendar that shops feel; null for all others'
)
copy grants
comment = 'Days from 2000 to 2049. One row per day.'
as
with

days as (
    -- seq4 may leave gaps, row_number does not
    select dateadd('day', row_number() over (order by seq4()) - 1, to_date('2000-01-01', 'YYYY-MM-DD')) as calendar_date
    from table(generator(rowcount => 18263))
),

parts as (
    select
        calendar_date,
        year(calendar_date) as year,
        quarter(calendar_date) as quarter,
        month(calendar_date) as month,
        day(calendar_date) as day_of_month,
        dayofweekiso(calendar_date) as day_of_week
    from days
)

select
    calendar_date,
    year,
    quarter,
    month,
    date_trunc('month', calendar_date)::date as month_start,
    monthname(calendar_date) as month_name,
    dateadd('day', 1 - day_of_week, calendar_date)::date as week_start,
    weekiso(calendar_date) as iso_week,
    day_of_month,
    dayofyear(calendar_date) as day_of_year,
    day_of_week,
    dayname(calendar_date) as day_name,
    day_of_week >= 6 as is_weekend,
    case
        when month = 1 and day_of_month = 1 then 'New Year''s Day'
        when month = 2 and day_of_month = 14 then 'Valentine''s Day'
        when month = 5 and day_of_month > 24 and day_of_week = 1 then 'Memorial Day'
        when month = 7 and day_of_month = 4 then 'Independence Day'
        when month = 9 and day_of_month <= 7 and day_of_week = 1 then 'Labor Day'
        when month = 11 and day_of_month between 22 and 28 and day_of_week = 4 then 'Thanksgiving'
        when month = 11 and day_of_month between 23 and 29 and day_of_week = 5 then 'Black Friday'
        when day_of_week = 1 and ((month = 11 and day_of_month >= 26) or (month = 12 and day_of_month <= 2)) then 'Cyber Monday'
        when month = 12 and day_of_month = 24 then 'Christmas Eve'
        when month = 12 and day_of_month = 25 then 'Christmas Day'
        when month = 12 and day_of_month = 26 then 'Day after Christmas'
    end as holiday_name
from parts;

grant select on view gold.dim_dates to application role app_analyst;

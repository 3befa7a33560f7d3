-- Dates and times; the clock stands at 2024-05-06 07:08:09.123456 UTC.
create table t (d date, ts timestamp_ntz, tz timestamp_ltz, s varchar, n int);
insert into t values ('2024-01-31', '2024-01-31 10:20:30.456', '2024-01-31 10:20:30 +02:00', '2024-02-29', 3);
insert into t (s) values (null);
select d, ts, tz from t where s is not null;
--: date | timestamp_ntz | timestamp_ltz
--> 2024-01-31 | 2024-01-31 10:20:30.456000 | 2024-01-31 08:20:30.000000 +0000
select ts from t where s is null;
--> NULL
select ts::varchar, d::varchar, tz::varchar, to_char(ts), '' || ts from t where s is not null;
--> 2024-01-31 10:20:30.456 | 2024-01-31 | 2024-01-31 08:20:30.000 +0000 | 2024-01-31 10:20:30.456 | 2024-01-31 10:20:30.456
select to_char(ts, 'YYYY-MM-DD"T"HH24:MI:SS.FF3"Z"'), to_varchar(d, 'YYYYMMDD'), to_char(ts, 'MON DD, YYYY HH12:MI AM'), to_char(d, 'DY'), to_char(ts, 'FF6') from t where s is not null;
--> 2024-01-31T10:20:30.456Z | 20240131 | Jan 31, 2024 10:20 AM | Wed | 456000
select dateadd(day, 1, d), dateadd('hour', n, ts), dateadd(month, 1, d), dateadd(minute, -5, ts), dateadd(day, 1, ts), d + 1, dateadd(year, 1, '2024-01-01'::date) from t where s is not null;
--: date | timestamp_ntz | date | timestamp_ntz | timestamp_ntz | date | date
--> 2024-02-01 | 2024-01-31 13:20:30.456000 | 2024-02-29 | 2024-01-31 10:15:30.456000 | 2024-02-01 10:20:30.456000 | 2024-02-01 | 2025-01-01
select add_months(d, 1), dateadd(second, 1, d), timestampadd(hour, 1, ts), dateadd(day, n, s::date) from t where s is not null;
--> 2024-02-29 | 2024-01-31 00:00:01 | 2024-01-31 11:20:30.456000 | 2024-03-03
select datediff(day, d, ts), datediff('hour', '2024-01-31', ts), datediff(month, d, '2024-03-01'), datediff(week, '2024-01-07'::date, '2024-01-08'::date), datediff(second, ts, tz), d - '2024-01-01'::date from t where s is not null;
--> 0 | 10 | 2 | 1 | -7200 | 30
select date_trunc('week', d), date_trunc('hour', ts), date_trunc(month, d), date_trunc('day', ts), trunc(d, 'year') from t where s is not null;
--: date | timestamp_ntz | date | timestamp_ntz | date
--> 2024-01-29 | 2024-01-31 10:00:00 | 2024-01-01 | 2024-01-31 00:00:00 | 2024-01-01
select year(d), month(d), day(d), hour(ts), minute(ts), second(ts), dayofweek(d), dayofweekiso(d), dayofyear(d), weekiso(d), quarter(d), dayname(d), monthname(d), date_part(epoch_second, ts), extract(hour from ts), date_part('dow', d) from t where s is not null;
--> 2024 | 1 | 31 | 10 | 20 | 30 | 3 | 3 | 31 | 5 | 1 | Wed | Jan | 1706696430 | 10 | 3
select last_day(d), next_day(d, 'mo'), previous_day(d, 'fr'), date_from_parts(2024, 2, n), timestamp_ntz_from_parts(2024, 1, 2, 3, 4, 5), time_slice(ts, 30, 'minute'), months_between('2024-03-31'::date, d) from t where s is not null;
--> 2024-01-31 | 2024-02-05 | 2024-01-26 | 2024-02-03 | 2024-01-02 03:04:05 | 2024-01-31 10:00:00 | 2.0
select to_date('2024-01-02'), to_date('02/01/2024', 'DD/MM/YYYY'), try_to_date('bad'), '2024-01-02'::date, to_date(ts), s::date, to_timestamp(0)::date from t where s is not null;
--> 2024-01-02 | 2024-01-02 | NULL | 2024-01-02 | 2024-01-31 | 2024-02-29 | 1970-01-01
select to_timestamp_ntz('2024-01-02 03:04:05.678'), to_timestamp_ntz(1700000000), to_timestamp_ntz(1700000000123, 3), to_timestamp('1700000000'), try_to_timestamp('bad'), try_to_timestamp_ntz('2024-01-02'), to_timestamp_ntz('2024-01-02T03:04:05Z'), to_timestamp('02.01.2024 10:11', 'DD.MM.YYYY HH24:MI');
--> 2024-01-02 03:04:05.678000 | 2023-11-14 22:13:20 | 2023-11-14 22:13:20.123000 | 2023-11-14 22:13:20 | NULL | 2024-01-02 00:00:00 | 2024-01-02 03:04:05 | 2024-01-02 10:11:00
select 'bad'::timestamp_ntz;
--! 100035
select 'bad'::date;
--! 100040
select current_timestamp()::timestamp_ntz, current_date(), sysdate(), current_timestamp(), getdate() = current_timestamp(), to_date(current_timestamp()), current_time();
--: timestamp_ntz | date | timestamp_ntz | timestamp_ltz | boolean | date | time
--> 2024-05-06 07:08:09.123456 | 2024-05-06 | 2024-05-06 07:08:09.123456 | 2024-05-06 07:08:09.123456 +0000 | true | 2024-05-06 | 07:08:09.123456
select convert_timezone('UTC', 'America/New_York', '2024-07-01 12:00:00'::timestamp_ntz), 1;
--> 2024-07-01 08:00:00 | 1
select convert_timezone('America/New_York', current_timestamp());
--! 2
select ts > '2024-01-01', ts < current_timestamp(), d = '2024-01-31', d between '2024-01-01' and '2024-02-01', ts - interval '1 day' from t where s is not null;
--> true | true | true | true | 2024-01-30 10:20:30.456000
select greatest(d, '2024-02-01'::date), coalesce(ts, current_timestamp()::timestamp_ntz), max(ts) over (), time_from_parts(1, 2, 3), '10:11:12'::time from t where s is not null;
--> 2024-02-01 | 2024-01-31 10:20:30.456000 | 2024-01-31 10:20:30.456000 | 01:02:03 | 10:11:12
select to_time('10:11:12'), hour('2024-01-02 03:04:05'::timestamp_ntz), timediff(minute, '2024-01-01 00:00:00'::timestamp_ntz, '2024-01-01 01:00:30'::timestamp_ntz);
--> 10:11:12 | 3 | 60
select to_char('2024-01-02 03:04:05.5'::timestamp_ntz, 'HH:MI:SS.FF9 TZHTZM TZH:TZM'), to_char(column1, 'FF TZH') from values (current_timestamp());
--> 03:04:05.500000000 +0000 +00:00 | 123456000 +00
select to_char('2024-01-02'::timestamp_ntz, 'FF2');
--! 2
select null::timestamp_ntz, null::timestamp_ltz, null::date;
--: timestamp_ntz | timestamp_ltz | date
--> NULL | NULL | NULL
select column1 + interval '1 month', column1 - interval '2 days', column1 + interval '1 hour', column1::timestamp_ntz + interval '1 day' from values ('2024-01-31'::date);
--: date | date | timestamp_ntz | timestamp_ntz
--> 2024-02-29 | 2024-01-29 | 2024-01-31 01:00:00 | 2024-02-01 00:00:00
-- Formats may be written in any case; text in double quotes stands for itself.
select to_char('2020-01-05'::date, 'yyyy-mm-dd'), to_char('2020-01-05'::date, 'DD Mon YYYY'), to_char('2020-01-05 04:05:06'::timestamp, 'yyyymmdd_hh24miss'), to_char('04:05:06'::time, 'HH24:MI');
--> 2020-01-05 | 05 Jan 2020 | 20200105_040506 | 04:05
select to_char('2020-01-05 04:05:06'::timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), to_date('05-jan-2020', 'dd-mon-yyyy'), to_timestamp('2020-01-05T04:05:06Z', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
--> 2020-01-05T04:05:06Z | 2020-01-05 | 2020-01-05 04:05:06
select date_part(epoch_second, '2020-01-01 00:00:01.9'::timestamp), extract(epoch from '2020-01-01'::date);
--> 1577836801 | 1577836800
-- Dates may be American or name their month; behind a time nothing is taken, and a text that does not fit its format is an error.
select '01/05/2020'::date, to_date('1/5/2020'), '05-JAN-2020'::date, to_timestamp('01/05/2020'), '01/05/2020 10:11:12'::timestamp, try_to_date('13/13/2020'), column1::date from values ('01/07/2020');
--> 2020-01-05 | 2020-01-05 | 2020-01-05 | 2020-01-05 00:00:00 | 2020-01-05 10:11:12 | NULL | 2020-01-07
create table days (d date, ti time, ts timestamp_ntz);
insert into days select '01/05/2020', '10:11', '01/05/2020';
insert into days (d) select parse_json('"01/06/2020"');
select d, ti, ts from days;
--> 2020-01-05 | 10:11:00 | 2020-01-05 00:00:00
--> 2020-01-06 | NULL | NULL
select '13/13/2020'::date;
--! 100040
select to_time('10:11:12 PM');
--! 100108
insert into days (ti) values ('10:11:12 PM');
--! 100108
select try_to_time('10:11:12 PM'), try_to_time('10:11'), '10:11:12.5'::time;
--> NULL | 10:11:00 | 10:11:12.500000
select '2020-01-01 10:11 PM'::timestamp;
--! 100035
select to_timestamp('xx', 'DD.MM.YYYY HH24:MI');
--! 100096
insert into days (ts) values (5);
--! 2023
insert into days (ts) select 5 union all select 6;
--! 2023
-- Intervals of several parts, and short names of units.
select '2024-01-01'::date + interval '1 day, 2 hours', '2024-01-31'::date + interval '1 mm', '2024-01-01'::date + interval '1 month, 2 d', '2024-01-01'::timestamp + interval '30', '2024-01-01'::timestamp - interval '1 y, 3 q, 4 mm, 5 w, 6 d, 7 h, 8 m, 9 s, 10 ms';
--: timestamp_ntz | date | date | timestamp_ntz | timestamp_ntz
--> 2024-01-02 02:00:00 | 2024-02-29 | 2024-02-03 | 2024-01-01 00:00:30 | 2021-10-20 16:51:50.990000
select '2024-01-01'::date + interval '1 day 2 hours';
--! 2
-- A date part has many names, each function knows some of them, and what lies below a part is cut.
select date_part(epoch_millisecond, '2024-12-30 10:11:12.345678'::timestamp), date_part('ns', '2024-12-30 10:11:12.345678'::timestamp), extract(week_iso from '2024-12-30'::date), date_part(yearofweek, '2024-12-30'::date), last_day('2024-01-15'::date, 'yy'), time_slice('2024-01-15 10:11:12'::timestamp, 1, 'hh'), datediff(qtrs, '2024-01-15'::date, '2024-12-30'::date);
--> 1735553472345 | 345678000 | 1 | 2025 | 2024-12-31 | 2024-01-15 10:00:00 | 3
select date_part(millisecond, '2024-12-30 10:11:12.345678'::timestamp);
--! 2
select date_trunc(dayofweek, current_date());
--! 2
select datediff(epoch_second, current_date(), current_date());
--! 2
select last_day(current_date(), day);
--! 2
select last_day(current_date(), upper('year'));
--! 2
select date_part(year from '2024-12-30'::date), date_part('dow' from '2024-12-30'::date);
--> 2024 | 1
select date_part(year);
--! 938
select date_part(upper('year'), current_date());
--! 2
select datediff(fortnight, current_date(), current_date());
--! 1003
select timestamp_ntz_from_parts(2024, 13, 32, 25, 61, 61, 5000), timestamp_from_parts(2024, 1, 1, -1, 0, 0), date_from_parts(2024, 14, 0);
--> 2025-02-02 02:02:01.000005 | 2023-12-31 23:00:00 | 2025-01-31
select to_date(5);
--! 1007
select '2024-02-30'::date;
--! 100040

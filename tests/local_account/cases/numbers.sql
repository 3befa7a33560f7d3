-- NUMBERs stay NUMBERs, exact; floats stay floats.
create table n (i number(18, 0), m number(12, 2), big number(38, 0), f float);
insert into n select 7, 10.00, 12345678901234567890123456789012345678, 0.5 union all select 2, 2.50, 1, 1.5;
select big from n where i = 7;
--> 12345678901234567890123456789012345678
select i / 2, m / 3 from n where i = 7;
--= I / 2 | M / 3
--> 3.500000 | 3.33333333
select 1 / 3;
--> 0.333333
select 10 / 4.0;
--> 2.500000
select f / 2 from n where i = 7;
--: real
--> 0.25
select sum(i), sum(m), avg(i), avg(m), count(*), sum(f), avg(f) from n;
--= SUM(I) | SUM(M) | AVG(I) | AVG(M) | COUNT(*) | SUM(F) | AVG(F)
--: number(38,0) | number(38,2) | number(38,6) | number(38,8) | number(38,0) | real | real
--> 9 | 12.50 | 4.500000 | 6.25000000 | 2 | 2.0 | 1.0
select avg(m) over (order by i) from n order by i;
--> 2.50000000
--> 6.25000000
select avg(m) from n where i > 100;
--> NULL
select count_if(i > 100), count_if(i > 2), count_if(null) from n;
--> 0 | 1 | 0
select count_if(i > 2) from n where i > 100;
--> 0
select avg(distinct i) from n;
--> 4.500000
select median(i) from n;
--> 4.500
select 1 / 0;
--! 100051
select div0(1, 0), iff(true, 1, 2), zeroifnull(null);
--> 0.000000 | 1 | 0
select round(2.5), round(-2.5), round(2.345, 2), trunc(2.99), floor(-1.5), ceil(1.2), mod(7, 3), abs(-3);
--> 3 | -3 | 2.35 | 2 | -2 | 2 | 1 | 3
select 5.7::int, '5.5'::number(10, 1), 2.5::float::int, to_number('12.345', 10, 2), try_to_number('x'), to_decimal('7.25', 5, 1);
--> 6 | 5.5 | 3 | 12.35 | NULL | 7.3
select 1000000 * 1000000, 4000000000 * 4000000000;
--> 1000000000000 | 16000000000000000000
select 'x'::int;
--! 100038
select 1.0::float::varchar, 0.1::float::varchar, 1.50::varchar, 12::varchar, true::varchar;
--> 1 | 0.1 | 1.50 | 12 | true
select to_char(1234.5, '9,999.00'), to_char(255, 'XX'), to_char(7, '000'), to_varchar(12.5);
-->  1,234.50 |  FF |  007 | 12.5
select to_char(0.5, '9.00'), to_char(0.5, '990.00'), to_char(-0.5, 'FM0.0'), to_char(1234.5, 'FM9,990.00'), to_char(0, '99');
-->   .50 |    0.50 | -0.5 | 1,234.50 |   0
select to_char(12345, '999');
--! 100078
select to_char(5, 'S99');
--! 2
select sqrt(-1);
--! 100039
select ln(0);
--! 100039
select ceil(4), floor(count(*)), floor(1.5), ceil(column1), floor(2.5::float) from values (7) group by column1;
--> 4 | 1 | 1 | 7 | 2.0
select max(1, 2);
--! 939
select log(100);
--! 939
select arrays_zip([1], [2]);
--! 2
select square(3), power(2, 10), sqrt(9), sign(-2), ln(1), exp(0), pi() > 3.14, bitand(6, 3), bitor(6, 3), bitxor(6, 3), bitshiftleft(1, 4), bitshiftright(16, 2);
--> 9.0 | 1024.0 | 3.0 | -1 | 0.0 | 1.0 | true | 2 | 7 | 5 | 16 | 4
select width_bucket(5, 0, 10, 5), width_bucket(-1, 0, 10, 5), width_bucket(10, 0, 10, 5);
--> 3 | 0 | 6
select greatest(1, 2, 3), least(1, null), coalesce(null, 5), nvl(null, 1), nvl2(1, 2, 3), nullifzero(0), equal_null(null, null), decode(2, 1, 'a', 2, 'b', 'c');
--> 3 | NULL | 5 | 1 | 2 | NULL | true | b
select ratio_to_report(i) over () from n where i = 7;
--> 1.000000
select min(i), max(f), count(distinct i), any_value(1), approx_count_distinct(i), stddev(i) > 3.5, var_pop(i), count_if(i > 2), min_by(i, m), listagg(i, ',') within group (order by i desc) from n;
--> 2 | 1.5 | 2 | 1 | 2 | true | 6.25 | 1 | 2 | 7,2
select percentile_cont(0.5) within group (order by i) from n;
--> 4.500
select i from n where i between 1 and 5;
--> 2
select uniform(1, 10, random()) between 1 and 10, uniform(0::float, 1::float, random()) < 1;
--> true | true
select row_number() over (order by i) r, lag(i) over (order by i), sum(i) over (order by i rows between unbounded preceding and current row) from n order by i;
--> 1 | NULL | 2
--> 2 | 2 | 9
select seq4() from table(generator(rowcount => 3));
--= SEQ4()
--> 0
--> 1
--> 2
select hash('a') = hash('a'), hash('a') <> hash('b');
--> true | true
select hash(1) = hash(1.00), hash(column1) = hash(1.5), hash(100) = hash(100.0), hash(1) <> hash(10), hash(1.5) = hash(1.5::float), hash(1) <> hash('1'), hash(null::int) = hash(null::number(5, 2)) from values (1.500);
--> true | true | true | true | true | true | true
select max(abs(n)) < 365, min(n) < 0 from (select hash(uuid_string()) % 365 as n from table(generator(rowcount => 1000)));
--> true | true
-- What is drawn is drawn once, however often it is read.
select count_if(n = 0), count_if(z is null), count_if(d is null), count_if(not i), max(q) from (
    select nullif(uniform(0, 1, random()), 0) as n, zeroifnull(nullif(uniform(0, 1, random()), 0)) as z,
        decode(uniform(1, 2, random()), 1, 'a', 2, 'b') as d, uniform(1, 3, random()) in (1, 2, 3) as i,
        div0(0, uniform(0, 1, random())) as q
    from table(generator(rowcount => 500)));
--> 0 | 0 | 0 | 0 | 0.000000
select uuid_string() as u, hash(u);
--! 2
-- A whole number beside one with decimals leaves it its decimals.
create table mixed (id int, n number(10, 2));
insert into mixed values (1, 1.40);
select coalesce(n, id), iff(true, n, id), case id when 1 then n else id end, greatest(id, n), nvl2(id, n, id), decode(id, 1, n, id), zeroifnull(n) from mixed;
--> 1.40 | 1.40 | 1.40 | 1.40 | 1.40 | 1.40 | 1.40
select coalesce(sum(n), max(id)), coalesce(sum(id), 1.5), coalesce(avg(n), sum(id)) from mixed;
--> 1.40 | 1.0 | 1.40000000
select id = n, id < n, id + n, id in (1.4) from mixed;
--> false | true | 2.40 | false
insert into mixed select 2, 2.5 union all select 3, id from mixed;
update mixed set n = case when id = 1 then 7.25 else id end where id < 3;
select id, n from mixed;
--> 1 | 7.25
--> 2 | 2.00
--> 3 | 1.00
select id, iff(id = 1, id, 1.5::float) from mixed where id = 1;
--: number(38,0) | real
--> 1 | 1.0
create table whole (i int, n number(10, 2));
insert into whole values (1::int, 2.25), (3, 1.75), (-4, 0.5);
select i from whole union all select n from whole order by 1;
--> -4.00
--> 0.50
--> 1.00
--> 1.75
--> 2.25
--> 3.00
with own as (select i from whole), both_of as (select i x from own union (select n from whole order by n limit 1)) select max(x), sum(x) from both_of;
--> 3.00 | 0.50
select i from whole intersect select n + 1.25 from whole;
--> 3.00
select coalesce(sum(i) over (), n), greatest(i, sum(n) over ()), case when i = 1 then (select max(n) from whole) else i end from whole where i = 3;
--> 3.00 | 3.00 | 3.00
insert into whole (n) values (1::int), (2.25), (null), (1 + 1);
select n from whole where i is null order by n;
--> 1.00
--> 2.00
--> 2.25
--> NULL
select x, k from (values (1::int, 'a'), (2.25, 'b'), (-3.125, 'c')) v (x, k) order by k;
--> 1.000 | a
--> 2.250 | b
--> -3.125 | c
select i from whole where i in (select n + 0.75 from whole) or i between 0.5 and 1.25;
--> 1
--> 3
-- Quotients are exact, not as good as a double.
select 12345678901.25::number(13, 2) / 2 a, 1234567890123456.78 / 3 b, 99999999999999999999 / 7 c, 440123456.78 / 3 d, -2 / 3 e;
--> 6172839450.62500000 | 411522630041152.26000000 | 14285714285714285714.142857 | 146707818.92666667 | -0.666667
select avg(x) from (values (440123456.78), (440123456.79), (440123456.79)) v (x);
--> 440123456.78666667
select (select 10) / (select 4), 1 / 3 / 3 / 3, 1 / (2 / 3);
--> 2.500000 | 0.037037000000000000 | 1.499999
-- A number's digits stand without underscores.
select '1_000'::int;
--! 100038
select to_number(column1) from values ('1_0');
--! 100038
select parse_json('"1_0"')::float;
--! 100038
select try_cast('1_000' as int), try_to_number('1_0', 10, 2), try_to_double('1_0'), try_to_number(' 1e3 ');
--> NULL | NULL | NULL | 1000
create table plain (n int, f float, b boolean, s varchar);
insert into plain (n) values ('1_000');
--! 100038
insert into plain (n, f, b) select '1000', '1e3', 1;
-- What a column does not take of itself.
insert into plain (n) values (true);
--! 2023
insert into plain (f) select b from plain;
--! 2023
update plain set n = b;
--! 2023
insert into plain (s) select object_construct('a', 1);
--! 2023
insert into plain (s) select array_agg(n) from plain;
--! 2023
insert into plain (s) select object_construct('a', n)::varchar from plain;
insert into plain (s) select to_variant(object_construct('b', n)) from plain where n = 1000;
select n, f, b, s from plain;
--> 1000 | 1000.0 | true | NULL
--> NULL | NULL | NULL | {"a":1000}
--> NULL | NULL | NULL | {"b":1000}
-- Constants that fill 64 bits are summed as NUMBERs.
select 9223372036854775807 + 1, -9223372036854775807 - 10, 9223372036854775807 - -9223372036854775807, 9223372036854775807 + column1 + 1.5 from values (1);
--> 9223372036854775808 | -9223372036854775817 | 18446744073709551614 | 9223372036854775809.5
-- Decimals stay in a union that reads what is around it; a recursive query takes the types of its first rows.
select i, (select max(x) from (select w.i as x union all select 1.5)) from whole as w where i = 1;
--> 1 | 1.5
select x from whole as w, lateral (select w.i as x union all select w.n) as l where i = 3 order by x;
--> 1.75
--> 3.00
with recursive r as (select 1 as x union all select x + 0.5 from r where x < 2) select max(x) from r;
--! 2
with recursive r as (select 1.0 as x union all select x + 0.5 from r where x < 2) select max(x) from r;
--> 2.0

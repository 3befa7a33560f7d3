-- Queries: names, positions, joins, grouping, and what is refused.
select count(*), max(column1), Upper('a'), 1 + 1, 'x' as y, count( distinct column1 ) from values (1), (2);
--= COUNT(*) | MAX(COLUMN1) | UPPER('A') | 1 + 1 | Y | COUNT( DISTINCT COLUMN1 )
--> 2 | 2 | A | 2 | x | 2
select $1, $2 from values (1, 'a'), (2, 'b');
--= $1 | $2
--> 1 | a
--> 2 | b
select t.$1 n from values (1) as t;
--> 1
with a as (select 1 x), b as (select x + 1 y from a) select x, y, x < y from a, b;
--= X | Y | X < Y
--> 1 | 2 | true
select "COUNT(*)" from (select count(*) from values (1));
--> 1
select * exclude (b) from (select 1 a, 2 b, 3 c);
--= A | C
--> 1 | 3
select * rename (a as z) from (select 1 a);
--= Z
select a, count(*) n from (select column1 a from values (1), (1), (2)) group by a having n > 1;
--> 1 | 2
select column1 a from values (3), (1), (2) qualify row_number() over (order by column1) = 1;
--> 1
select a from (select 1 a union select 1 union all select 2);
--> 1
--> 2
select iff(1 = 1, 'yes', 'no'), case when false then 1 end, nvl(null, 'x'), 'a' like 'A', 'a' ilike 'A', 'abc' rlike 'a.c', contains('abc', 'b'), startswith('abc', 'a'), endswith('abc', 'c');
--> yes | NULL | x | false | true | true | true | true | true
select substr('hello', 2, 3), left('abc', 2), right('abc', 2), lpad('7', 3, '0'), replace('aXa', 'X', '-'), trim('  x '), initcap('ab cd'), reverse('ab'), concat('a', 'b'), concat_ws('-', 'a', 'b'), length('abc'), position('b' in 'abc'), charindex('c', 'abc'), repeat('ab', 2), space(1) || '|', ascii('A'), chr(65), translate('abc', 'ab', 'xy'), insert('abc', 1, 1, 'z');
--> ell | ab | bc | 007 | a-a | x | Ab Cd | ba | ab | a-b | 3 | 2 | 3 | abab |  | | 65 | A | xyc | zbc
select substr('hello', column1, column1) from values (2::int);
--> el
select regexp_replace('a1b2', '[0-9]', '#'), regexp_substr('abc123', '[0-9]+'), regexp_count('aXbX', 'X'), regexp_like('abc', 'b'), regexp_substr('x=1', 'x=([0-9])', 1, 1, 'e');
--> a#b# | 123 | 2 | false | 1
select md5('a'), sha1('a'), sha2('a', 256), hex_encode('a'), base64_encode('abc'), length(uuid_string()), md5('a') = md5_hex('a');
--> 0cc175b9c0f1b6a831c399e269772661 | 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8 | ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb | 61 | YWJj | 36 | true
select try_to_number('5'), try_cast('x' as int), try_to_boolean('maybe'), to_boolean('yes'), try_to_double('1.5'), 't'::boolean, '0'::boolean;
--> 5 | NULL | NULL | true | 1.5 | true | false
select current_role(), current_database();
--= CURRENT_ROLE() | CURRENT_DATABASE()
--> TESTER | LOCAL
select nosuch from (select 1 a);
--! 904
select nosuch(1);
--! 2140
select list_sort([1]);
--! 2140
select strftime('%Y', current_date());
--! 2140
select a, count(*) from (select 1 a, 2 b) group by b;
--! 979
select 1 from nosuch;
--! 2003
select 1 +;
--! 1003
selct 1;
--! 1003
select (select column1 from values (1), (2));
--! 90150
select a.x, b.y from (select 1 x) a left join (select 2 x, 3 y) b on a.x = b.x;
--> 1 | NULL
select sum(column1) over (), rank() over (order by column1), first_value(column1) over (order by column1), nth_value(column1, 1) over (order by column1) from values (5);
--> 5 | 1 | 5 | 5
select * from (select 'a' k, 1 v union all select 'b', 2) pivot (sum(v) for k in ('a', 'b')) as p;
--> 1 | 2
select column1 as "lower", column2 as Mixed from values (1, 2);
--= lower | MIXED
select listagg(column1, ',') within group (order by column1), count(column1), mode(column1) from values ('b'), ('a'), ('b');
--> a,b,b | 3 | b
with recursive n as (select 1 i union all select i + 1 from n where i < 3) select sum(i) from n;
--> 6
select top 1 column1 from values (2);
--> 2
select 'a' || null, concat('a', null), 'x' || 1.50 || true;
--> NULL | NULL | x1.50true
select x'6162', to_binary('6162', 'hex'), hex_decode_string('6162');
--> b'ab' | b'ab' | ab
select random(1);
--! 2
select uniform(1, 10, 5);
--! 2
select hll(1);
--! 2
select conditional_true_event(true) over (order by 1);
--! 2
select * from values (1) a asof join values (2) b match_condition (a.column1 >= b.column1);
--! 2
select listagg(column1, ',') from values ('a') where false;
--> 
select row_number() over (order by seq4()), seq4() from table(generator(rowcount => 2));
--> 1 | 0
--> 2 | 1
select index, value from table(split_to_table('a,b', ','));
--> 1 | a
--> 2 | b
select bitor_agg(column1), boolor_agg(column1 > 1), ceil(column1 / 3, 1) from values (1::int) group by column1;
--> 1 | false | 0.400000
select to_date('2024-01-01') + column1, '2024-01-03'::date - 1, 1 + '2024-01-03'::date from values (2::int);
--> 2024-01-03 | 2024-01-02 | 2024-01-04
select '2024-01-01 00:00:00'::timestamp_ntz - '2023-01-01'::timestamp_ntz;
--! 2
select [1, 2], array_generate_range(0, 2), split('a', 'b');
--> [1,2] | [0,1] | ["a"]
select 'abc'::varchar(2);
--! 100078
select 'ab'::char;
--! 100078
select try_cast('abc' as varchar(2)), 'ab'::varchar(2), 'a'::char, column1::varchar(3) from values (123);
--> NULL | ab | a | 123

-- Reserved words are no names unless they are quoted (sql-reference/reserved-keywords).
select 1 as start;
--! 1003
select row from (select 1 as "ROW");
--! 1003
create table reserved (id int, increment int);
--! 1003
select 1 as "START", 2 as "select", parse_json('{"start": 3}'):start as value, 4 as key, left('abc', 1) as name;
--> 1 | 2 | 3 | 4 | a

-- A text above a number or a date becomes one; a text is binary by its digits.
select '7' union all select 1.5 union all select null order by 1;
--> 1.5
--> 7.0
--> NULL
select column1 from values ('2024-01-02'::date) union all select '2024-01-03';
--: date
select 1 union all select 'a';
--! 100038
select '6162'::binary = to_binary('6162'), try_cast('x' as binary);
--> true | NULL

-- What only DuckDB or other dialects know, and files of the machine.
select * from read_csv('/etc/passwd');
--! 2140
select a.n from (values (1)) a (n) join read_text('/etc/passwd') b on true;
--! 2140
select 2 ^ 3;
--! 1003
from (values (1)) a (n);
--! 1003
select a.n from (values (1)) a (n) semi join (values (1)) b (n) on true;
--! 1003
select distinct on (n) n from (values (1)) a (n);
--! 1003
select list(n) from (values (1)) a (n);
--! 2140
select a from (values (1)) a (n);
--! 904
select n from (values (1)) a (n) where n = 1 and (n < 2 or exists (select 1)) and case when true then true end;
--> 1

-- What is wrong is said in Snowflake's words.
select 1 union select 1, 2;
--! 1789
select object_construct('a');
--! 938
select listagg('a', 1);
--! 1044
-- A condition is a condition.
select 1 where 1;
--! 2016
select a from (select 'true' as a) where a;
--! 2016
select a from (select 1 as a) group by a having a;
--! 2016
select 1 where true and parse_json('true');
--> 1
-- What DuckDB orders, filters or compares by itself, and Snowflake refuses.
create table shelf (a int, b int);
insert into shelf values (1, 1), (2, null);
select row_number() over () from shelf;
--! 2303
select first_value(a) over (partition by b) from shelf;
--! 2303
select count(distinct a) over (order by b) from shelf;
--! 2304
select count(*) filter (where a = 1) from shelf;
--! 1003
select array_agg(a order by a) from shelf;
--! 1003
select a from shelf except all select b from shelf;
--! 1003
select 5 div 2;
--! 1003
select distinct a from shelf order by b;
--! 1054
select distinct a as c, b from shelf order by c, a, b;
--> 1 | 1
--> 2 | NULL
select count(a, b), count(a) from shelf;
--> 1 | 2
with r as (select 1 as i union all select i + 1 from r where i < 3) select max(i) from r;
--> 3
with r as (select 1 as i union select i + 1 from r where i < 3) select max(i) from r;
--! 1003
select regexp_substr('abc', 'z'), regexp_substr('abc', '(z)', 1, 1, 'e'), regexp_substr('abc', 'a(b)', 1, 1, 'e'), regexp_substr('aXbX', '[a-z]', 2);
--> NULL | NULL | b | b
select object_construct('a', 1, 'a', 2);
--! 100102
select array_contains('a', ['a']);
--! 1044
select 'abc'::binary;
--! 100115
select 5::date;
--! 1007
select to_date('abc', 'YYYY');
--! 100096
select listagg(a) within group (order by a), listagg(a, '-') within group (order by a) from shelf;
--> 12 | 1-2

-- A column that a sub-query has twice is ambiguous, one that a join has merged is not.
select a from (select 1 as a, 2 as a);
--! 2028
with c as (select 1 as a, 2 as a) select c.a from c;
--! 2028
select s.a from (select * from shelf as l join shelf as r on l.a = r.a) as s;
--! 2028
select a from shelf as l join shelf as r on l.a = r.a;
--! 2028
select a from (select * from shelf as l join shelf as r using (a)) order by a;
--> 1
--> 2
select a, z from (select l.* exclude (b), r.b as z from shelf as l join shelf as r using (a)) order by a;
--> 1 | 1
--> 2 | NULL
select a, c from (select l.* rename (a as c), r.a from shelf as l join shelf as r on l.a = r.a) order by a;
--> 1 | 1
--> 2 | 2
select * from (select 1 as a, 2 as a);
--> 1 | 2
select x, y from (select 1 as a, 2 as a) as s (x, y);
--> 1 | 2

-- A sub-query with LIMIT reads nothing from around it.
select (select b from shelf as s where s.a = t.a limit 1) from shelf as t;
--! 2031
select a from shelf as t where exists (select 1 from shelf as s where s.a = t.a order by s.b limit 1);
--! 2031
select (select a from shelf order by a limit 1), t.a from shelf as t order by 2;
--> 1 | 1
--> 1 | 2
select (select value from table(flatten(parse_json('[1]'))) limit 1) from shelf as t limit 1;
--> 1

-- A text that is filled with nothing is only shortened.
select lpad('a', 3, ''), rpad('abc', 2, ''), lpad('a', 3);
--> a | ab |   a

-- Another name of ARRAY_AGG; functions that are not there are told from those that Snowflake does not have.
select array_size(arrayagg(column1)) from values (1), (2);
--> 2
select st_makepoint(1, 2);
--! 2
select date_trunc(current_date);
--! 938
select column1 as a, column2 as b from values (2, 1), (1, 2), (2, 0) order by all desc;
--> 2 | 1
--> 2 | 0
--> 1 | 2
select * from values (2), (1) order by all;
--! 2
select 1 ->> select * from $1;
--! 2
select 1 where 1 in (** [1, 2]);
--! 2
select 'a' collate 'en-ci';
--! 2
-- An object of all columns.
select {*} from (select 1 as a);
--! 2
select object_construct({* exclude (a)}) from (select 1 as a);
--! 2

-- What sqlglot and DuckDB read of other dialects.
create table plain (a int, b varchar);
select rowid from plain;
--! 904
select a from plain where rowid = 0;
--! 904
select a from plain |> where a = 1;
--! 1003
select a from plain where a == 1;
--! 1003
select a << 1 from plain;
--! 1003
select 'a' 'b';
--! 1003
select map {'a': 1};
--! 1003
select cast('1' as int default 1);
--! 1003
select a from plain where a between symmetric 2 and 1;
--! 1003
select a from plain fetch first 1 rows with ties;
--! 1003
select a from plain using sample 1;
--! 1003
select column1 from unnest([1, 2]);
--! 1003
insert or replace into plain values (1, 'x');
--! 1003
insert into plain values (1, 'x') on conflict do nothing;
--! 1003
insert into plain by name select 1 as a;
--! 1003
insert into plain default values;
--! 1003
select count(*) from plain sample block (10);
--> 0

insert into select 2, 'x';
--! 1003
select a from plain where a in (select);
--! 1003
1 union all select 2;
--! 1003
select a into b from plain;
--! 1003
select 2::varchar('abc');
--! 1003
create view alike as like nowhere from plain;
--! 1003
select to_timestamp();
--! 938
select to_binary('x', 'hex');
--! 100115

-- What Snowflake has and the account has not.
select a from plain for update;
--! 2
select * from plain pivot(sum(a) for b in (any));
--! 2
select * from plain changes (information => default) at (offset => -60);
--! 2
select * from plain match_recognize (order by a measures a as m pattern (x) define x as a > 1);
--! 2
with p as procedure () returns int language sql as 'begin return 1; end' call p();
--! 2

create table staff (id int, boss int);
insert into staff values (1, null), (2, 1), (3, 2), (4, null);
select id, level from staff start with id = 1 connect by boss = prior id;
--= ID | LEVEL
--> 1 | 1
--> 2 | 2
--> 3 | 3
create view if not exists staff as select 1 as id;
--! 2203

-- The arguments of table functions.
select value from table(flatten(input => parse_json('[1]'), foo => 1));
--! 1003
select value from table(flatten(parse_json('[1]'), '[0]'));
--! 1003
select value from table(flatten(outer => true));
--! 938
select value from table(flatten(input => parse_json('[1]'), mode => 'LIST'));
--! 1003
select value from table(flatten(input => parse_json('[1]'), outer => 'yes'));
--! 1003
select f.value from plain, lateral flatten(input => parse_json('[1]'), path => b) f;
--! 2
select seq4() from table(generator(rowcount => 2, foo => 1));
--! 1003
select * from table(generator(rowcount => 2));
--! 2
-- A comma too many after the last table is taken, as Snowflake's own quickstarts have it.
select a from plain, where a = 1;
create table bounds (limit int, offset int);
select a from plain limit 1, 2;
--! 1003
select a from plain offset 1;
--! 1003
select 0x10;
--! 1003
select hash(*) from plain;
--! 2
select reduce([1], 0, (s, x) -> s + x);
--! 2
select md5_number_lower64('a');
--! 2
select boolxor(true, false), boolxor(1, 2), boolor(0, 1);
--> true | false | true

-- Tables and views: what is declared, kept, refused.
create table customers (id number(18, 0) not null comment 'Key.', name varchar(5) default 'none', joined timestamp_ntz, primary key (id)) comment = 'One row per customer.';
--> Table CUSTOMERS successfully created.
create table customers (id int);
--! 2002
create table if not exists customers (id int);
--> CUSTOMERS already exists, statement succeeded.
insert into customers (id) values (1), (1);
--= number of rows inserted
--> 2
select id, name, joined from customers;
--> 1 | none | NULL
--> 1 | none | NULL
insert into customers (id, name) values (2, 'too long');
--! 100078
insert into customers (id) values (null);
--! 100072
insert into customers (id, name) values (3);
--! 1128
insert into customers (nosuch) values (3);
--! 904
create or alter table customers (id number(18, 0) not null comment 'Key.', name varchar(9), joined timestamp_ntz, city varchar);
--> Table CUSTOMERS successfully created.
select count(*), count(city), max(name) from customers;
--> 2 | 0 | none
create or alter table customers (id number(18, 0), joined timestamp_ntz, city varchar);
select * from customers limit 1;
--= ID | JOINED | CITY
--> 1 | NULL | NULL
create or alter table customers (id varchar, joined timestamp_ntz, city varchar);
--! 2108
create or alter table customers (id number(12, 0), joined timestamp_ntz, city varchar);
--! 2108
create or alter table customers (city varchar, id number(18, 0), joined timestamp_ntz);
--! 2
alter table customers add column if not exists city varchar;
alter table customers add column if not exists score float, rank int;
alter table customers add column score float;
--! 1430
alter table customers add column if not exists fee int default 5;
--! 2028
alter table customers add column fee int default 5;
select fee, score from customers limit 1;
--> 5 | NULL
alter table customers drop column fee, rank;
alter table customers rename column city to town;
alter table customers alter column id set not null;
insert into customers (town) values ('x');
--! 100072
alter table customers modify column id drop not null;
insert into customers (town) values ('x');
alter table customers alter column town comment 'Where.';
comment on table customers is 'One row per person.';
comment on column customers.score is 'Of old.';
alter table customers set comment = 'Both.', change_tracking = true;
alter table customers rename to people;
select * from customers;
--! 2003
select count(*) from people;
--> 3
create table copy like people;
select count(*) from copy;
--> 0
create table clone clone people;
select count(*) from clone;
--> 3
create or replace table made as select id, town, count(*) n, 1 / 3 third, current_timestamp() at_ from people group by all;
select * from made where id = 1;
--= ID | TOWN | N | THIRD | AT_
--: number(18,0) | text | number(38,0) | number(38,6) | timestamp_ltz
--> 1 | NULL | 2 | 0.333333 | 2024-05-06 07:08:09.123456 +0000
create table small (a varchar(2), b number(3, 1));
insert into small select 'abc', 1;
--! 100078
insert into small select 'ab', 99.94;
select * from small;
--> ab | 99.9
insert into small select 'ab', 100;
--! 100039
create view adults (who comment 'Key.', place) comment = 'One row per adult.' as select id, town from people where id is not null;
--> View ADULTS successfully created.
select * from adults;
--= WHO | PLACE
--> 1 | NULL
--> 1 | NULL
create view adults as select 1 a;
--! 2002
create or replace secure view adults as select id, parse_json('{"a":1}'):a::int as one, current_role() as r from people where id = 1 limit 1;
select * from adults;
--> 1 | 1 | TESTER
create view broken as select nosuch from people;
--! 904
create or replace view people as select 1 a;
--! 2203
drop table adults;
--! 2203
drop view adults;
drop table people;
--> PEOPLE successfully dropped.
drop table people;
--! 2003
drop table if exists people;
-- Reserved elsewhere, ordinary here.
create table words (value int, "at" int, end_ int, lambda int, pivot int, summarize int, semi int, key int, position int, "offset" int, user_ int, timestamp timestamp_ntz, date date, type varchar, name varchar, window int, range int, filter int, comment varchar, at int, glob int, freeze int);
--! 2025
create table words (value int, "at" int, lambda int, pivot int, summarize int, show int, describe int, semi int, anti int, asof int, map int, concurrently int, glob int, isnull int, overlaps int, freeze int, binary int, returning int, key int, timestamp int, date int, type int, name int, window int, range int, filter int, comment int, position int, offset int);
insert into words (value, pivot, timestamp, lambda) values (1, 2, 3, 4);
select value, pivot, timestamp, lambda, w.semi, glob from words w;
--= VALUE | PIVOT | TIMESTAMP | LAMBDA | SEMI | GLOB
--> 1 | 2 | 3 | 4 | NULL | NULL
create table counted (id int autoincrement, name varchar);
insert into counted (name) values ('a'), ('b');
select id, name from counted;
--> 1 | a
--> 2 | b
create or replace table counted as select id + 10 as id from counted;
select id from counted;
--> 11
--> 12
create or replace table counted (id int autoincrement, name varchar(3));
insert into counted (name) values ('a');
create or alter table counted (id int autoincrement, name varchar(4), size int);
insert into counted (name) values ('b');
select id, name, size from counted;
--> 1 | a | NULL
--> 2 | b | NULL
drop table counted;
create table counted (id int identity(100, 10), name varchar);
insert into counted (name) values ('a'), ('b');
select id from counted;
--> 100
--> 110
alter table counted cluster by (id);
alter table counted unset comment;
alter table counted set data_retention_time_in_days = 1, comment = 'x';
alter table counted add column needed int not null;
--! 2266
alter view counted set comment = 'x';
--! 2003
-- A name in double quotes is another name where its case is another.
create table cased ("Id" int, id2 int);
select "Id" from cased;
select id from cased;
--! 904
select c."ID" from cased c where c."Id" = 1;
--! 904
select "c".id2 from cased c;
--! 904
insert into cased values (1, 2);
with two as (select "Id", id2 from cased) select "Id", id2 from two;
--> 1 | 2
with two as (select "Id" from cased) select id from two;
--! 904
create table twice (a int, "a" int);
--! 2025
select id2 as total from cased order by "total";
--! 904
select id2 as "total", total + 1 from cased;
--! 904
select id2 as "total", "total" + 1 as more from cased order by "total", more;
--> 2 | 3
select c.id2 from cased c join cased d on c.id2 = d."id2";
--! 904
select c.id2 from cased c join cased d using ("id2");
--! 904
select "c".* from cased c;
--! 904
select id2 from cased union all select 3 order by "id2";
--! 904
-- What a definition may not change, and what it may not say.
create table kept (id int, k int default 1);
create or alter table kept (id int, k int default 2);
--! 2
create or alter table kept (id int default 1, k int default 1);
--! 2
create or alter table kept (id int, k int);
insert into kept (id) select 1;
alter table kept add column z int autoincrement;
--! 2263
create table typed (id int default '5');
--! 2023
create table typed (name varchar default 5);
--! 2023
alter table kept add column day date default '2020-01-01';
--! 2023
-- Only the options that there are, the types that there are, and names that stand for what they are.
create table optioned (id int) data_retention_time_in_days = 3 change_tracking = true;
create table other_options (id int) frobnicate = 1;
--! 2
create table other_options (id int) change_tracking = 'perhaps';
--! 1008
alter table optioned set frobnicate = 1;
--! 2
create view frobnicated with frobnicate = 1 as select 1 as a;
--! 2
select 1::hugeint;
--! 2040
select '1'::json;
--! 2040
select 1 limit 50 percent;
--! 1003
select * from 'optioned.csv';
--! 1003
create table packed (v variant, id int);
select v:a, packed.v:a.b from packed;
select v.a from packed;
--! 904
select x.y from (select object_construct('y', 1) as x);
--! 904
-- Names that stand twice, columns without a type, a comma too many.
create table pairs (a int, b int);
create view twice as select a, a from pairs;
--! 2025
create view twice (c, c) as select a, b from pairs;
--! 2025
create table untyped (a);
--! 2
create table trailing (a int,);
--! 1003
-- CREATE OR ALTER keeps the rows, even where no column stays.
create or alter table emptied (a int);
insert into emptied values (1), (2);
create or alter table emptied (b varchar);
select count(*), count(b) from emptied;
--> 2 | 0
-- A NUMBER may become narrower where its values fit.
create table narrow (n int, m number(10, 2));
insert into narrow values (123, 1234.50);
alter table narrow alter column n set data type number(3, 0);
alter table narrow modify column m number(6, 2);
alter table narrow alter column n set data type number(2, 0);
--! 100039
alter table narrow alter column m set data type number(6, 1);
--! 2108
select n, m from narrow;
--: number(3,0) | number(6,2)
--> 123 | 1234.50
create table always (id int generated always as identity);
--! 2

-- What Snowflake reads and the parser does not is refused by its name, not as a misspelling.
create row access policy visible as (region varchar) returns boolean -> true;
--! 2
describe user someone;
--! 2
copy files into @a from @b;
--! 2
merge into narrow using narrow s on narrow.n = s.n when matched then update all by name;
--! 2
create table clustered (id int) cluster by linear(id);
--! 2
create table clustered (id int) clustered by (id);
--! 1003
create table checked (id int primary key enable validate rely);
--! 2
create table reckoned (a int, b int generated always as (a * 2) virtual);
--! 2
create table structured (a array(number not null));
--! 2
describe result 'x';
--! 2
alter table narrow drop foreign key (n);
--! 2

-- A key is not enforced, but there is one, its columns are there, and so is what it refers to.
create table keyed (a int primary key, b int primary key);
--! 1003
create table keyed (a int, primary key (b));
--! 904
create table keyed (a int, foreign key (a) references narrow (zz));
--! 904
create table keyed (a int references nowhere);
--! 2003
create table keyed (a int references keyed, b int, unique (a, b), constraint k primary key (a));
create table sized (a varchar(0));
--! 2011
create table sized (a timestamp(10));
--! 2011
create table sized (select 1 as a);
--! 1003
create table sized select 1 as a;
--! 1003
create view sized (select 1 as a);
--! 1003
create table sized /* a */ as /* b */ (select 1 as a);
create table unkeyed (a int, primary key (b)) as select 1;
--! 904
alter table keyed add column c int first;
--! 1003
create view empty;
--! 1003

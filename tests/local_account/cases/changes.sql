-- INSERT, UPDATE, DELETE, MERGE, TRUNCATE.
create table target (id int, name varchar, v variant, at timestamp_ntz);
create table source (id int, name varchar);
insert into source values (1, 'one'), (2, 'two'), (3, 'three');
insert into target select id, name, object_construct('N', name), '2024-01-01' from source where id < 3;
--> 2
merge into target t using source s on t.id = s.id
when matched and s.id = 1 then update set t.name = upper(s.name), t.v = object_construct('b', s.id, 'A', null)
when matched and s.id = 2 then delete
when not matched then insert (id, name) values (s.id, s.name);
--= number of rows inserted | number of rows updated | number of rows deleted
--> 1 | 1 | 1
select id, name, v from target;
--> 1 | ONE | {"b":1}
--> 3 | three | NULL
merge into target using (select * from source qualify row_number() over (partition by id order by name) = 1) s on target.id = s.id when matched then update set name = s.name;
--= number of rows updated
--> 2
merge into target t using (select 1 id, 'a' name union all select 1, 'b') s on t.id = s.id when matched then update set name = s.name;
--! 100090
merge into target using source s on target.id = s.id when not matched by source then delete;
--! 1003
merge into target t using (select 9 id) s on t.id = s.id when not matched then insert values (s.id, 'nine', null, null);
--> 1
update target t set name = s.name || '!' from source s where t.id = s.id;
--= number of rows updated | number of multi-joined rows updated
--> 2 | 0
delete from target using source where target.id = source.id and source.id = 3;
--= number of rows deleted
--> 1
insert overwrite into target (id, name) select 5, 'five';
--> 1
select id, name from target;
--> 5 | five
insert into target (id, at) select 6, current_timestamp()::timestamp_ntz;
insert into target (id, at) values (7, '2024-02-03'), (8, current_timestamp());
select id, at from target where id > 5;
--> 6 | 2024-05-06 07:08:09.123456
--> 7 | 2024-02-03 00:00:00
--> 8 | 2024-05-06 07:08:09.123456
update target set at = default where id = 6;
insert into target (id, v) select 10, parse_json('{"x": 1}') union all select 11, parse_json('"y"');
update target set name = v:x where id = 10;
select name, v from target where id in (10, 11);
--> 1 | {"x":1}
--> NULL | "y"
truncate table target;
select count(*) from target;
--> 0
insert into target with s as (select 1 id, 'cte' name) select id, name, null, null from s;
select name from target;
--> cte
insert all into target (id) values (1) select 1;
--! 2
delete from target;
--> 1
update target set (id, name) = (1, 'x');
--! 1003
update target set nosuch = 1;
--! 904
-- What an INSERT reads is what was there before it.
create table own (i int);
insert into own values (1);
insert into own select * from (select 5 union all select i from own);
--> 2
insert into own select i + 10 from own union all select i + 20 from own;
--> 6
-- A WITH stands before the SELECT, not before what changes rows.
create table plain (id int, v int);
with c as (select 1 x) insert into plain select x, x from c;
--! 1003
with c as (select 1 x) delete from plain using c where plain.id = c.x;
--! 1003
insert into plain (id) with c as (select 1 x) select x from c;
alter table plain alter v set not null;
--! 100072
-- What DuckDB takes and Snowflake does not.
merge into plain using (select 1 as x) s on plain.id = s.x when matched then insert (id) values (1);
--! 1003
merge into plain using (select 1 as x) s on plain.id = s.x when not matched then delete;
--! 1003
insert into plain set id = 1;
--! 1003
insert into plain table(own);
--! 1003

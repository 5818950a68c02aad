use shop;
drop table if exists packed, beside;
create table packed(id int primary key, name varchar(100), body text, b blob) charset utf8mb4;
create table beside(id int unsigned primary key, v varchar(20));
insert into packed values (1, 'one', repeat('compress me ', 40), unhex('00ff10')), (2, null, '', null);
begin;
insert into packed with recursive n(i) as (select 10 union all select i + 1 from n where i < 69)
  select i, concat('name ', i), repeat(concat('row ', i, ' '), 24), unhex(repeat(lpad(hex(i), 4, '0'), 8)) from n;
insert into beside values (1, 'a'), (4294967295, 'z');
savepoint s;
insert into beside values (2, 'gone');
rollback to s;
update packed set name = concat(name, '!'), body = reverse(body) where id between 10 and 39;
delete from packed where id > 60;
commit;
update packed p join beside b on b.id = p.id set p.body = repeat('both at once ', 30), b.v = 'both';
insert into beside values (3, 'c');

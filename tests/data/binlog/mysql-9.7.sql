use shop;
set gtid_next='aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:nightly:7'; insert into wide(id) values(20); set gtid_next='AUTOMATIC';
create table vec(id int primary key, v vector(3));
insert into vec values(1, to_vector('[1,2,3]'));
create table multi(id int primary key, j json, index j((cast(j->'$.z' as unsigned array))));
insert into multi values(1,'{"z":[1,2]}');
create table fn(id int primary key, a varchar(10), index f((upper(a))));
insert into fn values(1,'x');

use shop;
set gtid_domain_id=5; insert into wide(id) values(20); set gtid_domain_id=0;
create table mspec(id int primary key, u uuid, i4 inet6, vc varchar(100) compressed, bc blob compressed);
insert into mspec values(1,uuid(),'::1',repeat('a',100),repeat('b',300));
set statement max_statement_time=10 for insert into wide(id) values(21);
set statement max_statement_time=10 for alter table wide add k int;
create temporary table tmp(a int); insert into tmp values(1); drop temporary table tmp;

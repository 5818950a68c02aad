create database shop;
use shop;
create table types(
  id bigint unsigned not null auto_increment primary key, t1 tinyint, t2 smallint unsigned, t3 mediumint, t4 int unsigned, t5 bigint,
  d1 decimal(10,3), d2 decimal(30,30) unsigned, f float, g double, b bit(9), y year, da date, ti time(2), dt datetime(4), ts timestamp(6) null, dt0 datetime,
  c char(5), c2 char(255) character set utf8mb4, v varchar(20), w varchar(300) character set latin1, bi binary(5), vb varbinary(300),
  bl tinyblob, tx text, mb mediumblob, lt longtext, e enum('a','b,c','d''e') character set latin1, s set('x','y','z'), geo geometry, js json);
insert into types values(1,-1,65535,-8388608,4294967295,-9223372036854775808,'-1234567.890','0.000000000000000000000000000001',1.5,-0.1,b'100000001',2026,
  '2026-07-04','-838:59:58.99','2026-07-04 12:34:56.1234','2026-07-04 12:34:56.123456','1000-01-01 00:00:00',
  'abc','ä','hello',repeat('w',256),'ab',x'00ff',x'01','text',x'0203','long','b,c','x,z',st_geomfromtext('POINT(1 2)'),'{"a": [1, 2.5, "x"]}');
insert into types(id) values(2),(3);
update types set v='bye', t1=null where id=1;
update types set t2=1;
delete from types where id=2;
create table wide(id int primary key, c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int, c8 int, c9 varchar(10));
insert into wide values(1,1,null,2,null,3,null,4,null,'x');
set session binlog_row_image=minimal;
update wide set c9='y' where id=1;
create table defaults(a int default 7, b varchar(5));
insert into defaults() values();
delete from defaults;
set session binlog_row_image=full;
begin; insert into wide(id) values(2); savepoint `sp 1`; insert into wide(id) values(3); rollback to `sp 1`; insert into wide(id) values(4); commit;
xa start 'trx','b',7; insert into wide(id) values(5); xa end 'trx','b',7; xa prepare 'trx','b',7; xa commit 'trx','b',7;
create table copied as select id,c1 from wide;
rename table copied to `co``pied`;
truncate table `co``pied`;
drop table `co``pied`, defaults;
create table keyed(a int, b varchar(20), c int, primary key(c,b(10))) ;
insert into keyed values(1,'b',2);
create table parts(id int primary key, v int) partition by range(id)(partition p0 values less than (10), partition p1 values less than maxvalue);
insert into parts values(1,1),(11,2);
update parts set id=12 where id=1;

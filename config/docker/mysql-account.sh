#!/bin/bash
# Run once by the MySQL image, when its data folder is new: the account that sluice reads with.
password=${SLUICE_SOURCE_PASSWORD//\\/\\\\}
password=${password//\'/\\\'}
MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --protocol=socket -uroot <<SQL
CREATE USER IF NOT EXISTS sluice@'%' IDENTIFIED BY '$password';
GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO sluice@'%';
SQL

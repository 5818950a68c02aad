#!/bin/bash
# record_binlogs.sh mariadb|mysql97 OUT_DIR [oltp|bulk|wide]...: the binlog files that decode.py measures with, one per workload of
# binlog_workloads.py, recorded on a throwaway server.
# env: RUN_ROOT (where the server lives; a folder under /tmp), SCALE (per cent of the default row changes, 100).
# Default row changes: oltp 1500000, bulk 8000000, wide 300000: about 2.5 GB of disk for each server and some minutes.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")") kind=${1:?mariadb or mysql97} out=${2:?folder}
shift 2
[ $# -gt 0 ] || set -- oltp bulk wide
server=$here/../../scripts/servers/$kind.sh name=record-$kind
export RUN_ROOT=${RUN_ROOT:-/tmp/sluice-record}
case $kind in
  mariadb) log=--innodb-log-file-size=1G ;;
  mysql97) log=--innodb-redo-log-capacity=1G ;;
  *) echo "record_binlogs.sh: no server named $kind" >&2; exit 2 ;;
esac
export SERVER_OPTIONS="--innodb-buffer-pool-size=1536M --max-binlog-size=1G --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --binlog-cache-size=32M $log"
mkdir -p "$out"
trap '"$server" wipe "$name"' EXIT
"$server" start "$name" >/dev/null
sql() { "$server" sql "$name" "$@"; }
"$here/binlog_workloads.py" schema | sql
declare -A rows=([oltp]=1500000 [bulk]=8000000 [wide]=300000)
for workload in "$@"; do
  sql -e 'FLUSH BINARY LOGS'
  file=$(sql -N -e 'SHOW BINARY LOGS' | tail -1 | cut -f1)
  "$here/binlog_workloads.py" "$workload" --rows $((rows[$workload] * ${SCALE:-100} / 100)) | sql
  sql -e 'FLUSH BINARY LOGS' # the workload's file ends in ROTATE now and is closed
  cp "$RUN_ROOT/$name/data/$file" "$out/$kind-$workload.binlog"
  echo "$out/$kind-$workload.binlog: $(stat -c %s "$out/$kind-$workload.binlog") bytes"
done

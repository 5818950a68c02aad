#!/bin/bash
# mysql97.sh start|stop|kill|pause|resume|wipe|status|port|socket|sql|binlog [NAME] [SQL ARGS]: Oracle MySQL 9.7 (Debian sid,
# unpacked, run through its own ld.so) with a ROW binlog on loopback; root has no password.  `start` prints the port.
# env: RUN_ROOT; at first start (kept): SERVER_ID (97), SERVER_OPTIONS (more mysqld options)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
cmd=${1:-start} name=${2:-mysql97}
D=$RUN_ROOT/$name pidfile=$RUN_ROOT/$name/pid
recall "$D/vars"
SERVER_ID=${SERVER_ID:-97} SERVER_OPTIONS=${SERVER_OPTIONS:-} user=$(id -un)
R=$(ASSUME="perl perl-base" "$SERVERS_DIR/fetch_root.sh" sid mysql97 mysql-server-core mysql-client-core)
tree_loader "$R"
paths=(--no-defaults --user="$user" --basedir="$R/usr" --lc-messages-dir="$R/usr/share/mysql" --character-sets-dir="$R/usr/share/mysql/charsets"
  --plugin-dir="$R/usr/lib/mysql/plugin" --secure-file-priv=NULL) # NULL: the packaged default folder does not exist
sql() { "${LD[@]}" "$R/usr/bin/mysql" --no-defaults --character-sets-dir="$R/usr/share/mysql/charsets" -uroot -S "$(cat "$D/socket")" "$@"; }
initialize() {
  rm -rf "$D/data"
  "${LD[@]}" "$R/usr/sbin/mysqld" "${paths[@]}" --initialize-insecure "$@" --datadir="$D/data" --tmpdir="$D/tmp" \
    --innodb-redo-log-capacity=32M --innodb-buffer-pool-size=64M --skip-log-bin >"$D/init.log" 2>&1 || { tail -20 "$D/init.log" >&2; exit 1; }
}
case $cmd in
  start)
    mkdir -p "$D/tmp"
    if alive "$pidfile"; then cat "$D/port"; exit 0; fi
    port=$(own_port "$D" 1) socket=$(socket_path "$D") t0=$(now_ms)
    port_free "$port" || die "port $port is taken"
    remember "$D/vars" SERVER_ID SERVER_OPTIONS
    if [ ! -e "$D/initialized" ]; then
      # It cannot be changed later.
      lower_case=()
      if [[ $SERVER_OPTIONS =~ --lower-case-table-names=[0-9] ]]; then lower_case=("${BASH_REMATCH[0]}"); fi
      fresh_data "mysql97${lower_case[*]}" "$D/data" initialize "${lower_case[@]}"
      rm -f "$D/data/auto.cnf" # the server's uuid: one of its own at the start
      : >"$D/initialized"
    fi
    t1=$(now_ms)
    rm -f "$socket" "$socket.lock" # a killed server leaves a lock that names a pid, which may linger as a zombie
    # shellcheck disable=SC2086
    spawn "$pidfile" "$D" "$D/log" "${LD[@]}" "$R/usr/sbin/mysqld" "${paths[@]}" --datadir="$D/data" --tmpdir="$D/tmp" \
      --socket="$socket" --pid-file="$D/mysqld.pid" --bind-address=127.0.0.1 --port="$port" --mysqlx=OFF --skip-name-resolve \
      --server-id="$SERVER_ID" --log-bin="$D/data/binlog" --binlog-format=ROW --binlog-row-image=FULL --binlog-row-metadata=FULL \
      --gtid-mode=ON --enforce-gtid-consistency=ON --log-replica-updates=ON --sync-binlog=0 --innodb-flush-log-at-trx-commit=2 \
      --innodb-buffer-pool-size=64M --innodb-redo-log-capacity=32M --performance-schema=OFF $SERVER_OPTIONS
    wait_ready 120 "$pidfile" sql_answers || { tail -20 "$D/log" >&2; exit 1; }
    say "$name ready: init $((t1 - t0)) ms, start $(($(now_ms) - t1)) ms"
    echo "$port"
    ;;
  stop) stop_pid "$pidfile" TERM 60 ;;
  kill) stop_pid "$pidfile" KILL 5 ;;
  pause) signal_pid "$pidfile" STOP ;;
  resume) signal_pid "$pidfile" CONT ;;
  wipe) stop_pid "$pidfile" KILL 5; wipe_folder "$D" ;;
  status) if alive "$pidfile"; then echo "running $(cat "$D/port")"; else echo stopped; exit 1; fi ;;
  port) cat "$D/port" ;;
  socket) cat "$D/socket" ;;
  sql) shift 2; sql "$@" ;;
  binlog) shift 2; "${LD[@]}" "$R/usr/bin/mysqlbinlog" --no-defaults "$@" ;;
  *) say "usage: $0 start|stop|kill|pause|resume|wipe|status|port|socket|sql|binlog [NAME]"; exit 2 ;;
esac

#!/bin/bash
# mariadb.sh start|stop|kill|pause|resume|wipe|status|port|socket|sql [NAME] [SQL ARGS]: MariaDB with a ROW binlog on loopback;
# root has no password, over TCP and socket.  `start` prints the port.
# env: RUN_ROOT; at first start (kept): SERVER_ID (1), SERVER_OPTIONS (more mariadbd options), SERVER_ROOT (an unpacked tree;
# empty: the host's packages)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
cmd=${1:-start} name=${2:-mariadb}
D=$RUN_ROOT/$name pidfile=$RUN_ROOT/$name/pid
recall "$D/vars"
SERVER_ID=${SERVER_ID:-1} SERVER_OPTIONS=${SERVER_OPTIONS:-} SERVER_ROOT=${SERVER_ROOT:-}
R=$SERVER_ROOT LD=() paths=() user=$(id -un)
if [ -n "$R" ]; then
  tree_loader "$R"
  share=$R/usr/share/mariadb
  [ -d "$share" ] || share=$R/usr/share/mysql
  paths=(--basedir="$R/usr" --lc-messages-dir="$share" --character-sets-dir="$share/charsets")
  if [ -d "$R/usr/lib/mysql/plugin" ]; then paths+=(--plugin-dir="$R/usr/lib/mysql/plugin"); fi
fi
sql() { mariadb --no-defaults --skip-ssl -uroot -S "$(cat "$D/socket")" "$@"; }
install_db() {
  rm -rf "$D/data"
  mkdir -p "$D/data"
  if [ -z "$R" ]; then
    # TMPDIR: in /tmp another server that starts removes its temporary tables
    TMPDIR=$D/tmp mariadb-install-db --no-defaults --user="$user" --datadir="$D/data" --auth-root-authentication-method=normal \
      --skip-test-db --skip-name-resolve
  else # what mariadb-install-db does: the SQL files into --bootstrap
    {
      printf '%s\n' 'create database if not exists mysql;' 'use mysql;' 'SET @auth_root_socket=NULL;' 'SET @skip_auth_anonymous=1;'
      cat "$share"/mariadb_{system_tables,performance_tables,system_tables_data}.sql "$share/fill_help_tables.sql" \
        "$share/maria_add_gis_sp_bootstrap.sql" "$share/mariadb_sys_schema.sql"
    } | "${LD[@]}" "$R/usr/sbin/mariadbd" --no-defaults --bootstrap --user="$user" --datadir="$D/data" "${paths[@]}" --tmpdir="$D/tmp" \
      --log-warnings=0 --enforce-storage-engine= --max_allowed_packet=8M --net_buffer_length=16K
  fi >"$D/install.log" 2>&1 || { tail -20 "$D/install.log" >&2; exit 1; }
}
case $cmd in
  start)
    mkdir -p "$D/tmp"
    if alive "$pidfile"; then cat "$D/port"; exit 0; fi
    [ -n "$R" ] || command -v mariadb-install-db >/dev/null || { say "the package mariadb-server is not installed"; exit $EX_UNAVAILABLE; }
    port=$(own_port "$D" 1) socket=$(socket_path "$D") t0=$(now_ms)
    port_free "$port" || die "port $port is taken"
    remember "$D/vars" SERVER_ID SERVER_OPTIONS SERVER_ROOT
    if [ ! -e "$D/initialized" ]; then fresh_data "mariadb${R//\//-}" "$D/data" install_db; : >"$D/initialized"; fi
    t1=$(now_ms)
    rm -f "$socket" "$socket.lock" # a killed server leaves a lock that names a pid, which may linger as a zombie
    # shellcheck disable=SC2086
    spawn "$pidfile" "$D" "$D/log" "${LD[@]}" "$R/usr/sbin/mariadbd" --no-defaults --user="$user" "${paths[@]}" --datadir="$D/data" \
      --tmpdir="$D/tmp" --socket="$socket" --pid-file="$D/mariadbd.pid" --bind-address=127.0.0.1 --port="$port" --skip-name-resolve \
      --server-id="$SERVER_ID" --log-bin="$D/data/binlog" --log-bin-index="$D/data/binlog.index" --binlog-format=ROW \
      --binlog-row-image=FULL --binlog-row-metadata=FULL --gtid-domain-id=0 --gtid-strict-mode=ON --log-slave-updates=ON \
      --sync-binlog=0 --innodb-flush-log-at-trx-commit=2 --innodb-buffer-pool-size=64M --innodb-log-file-size=32M \
      --performance-schema=OFF $SERVER_OPTIONS
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
  *) say "usage: $0 start|stop|kill|pause|resume|wipe|status|port|socket|sql [NAME]"; exit 2 ;;
esac

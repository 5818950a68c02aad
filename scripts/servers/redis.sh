#!/bin/bash
# redis.sh start|stop|kill|pause|resume|wipe|status|port|cli [NAME] [CLI ARGS]: one redis-server on loopback, append-only file on.
# `start` prints the port.
# env: RUN_ROOT; at first start (kept): SERVER_KIND redis (the host's package) | redis8 | valkey9 (unpacked), SERVER_OPTIONS (more lines
# for redis.conf), SENTINEL (lines of a sentinel.conf: runs as a sentinel)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
cmd=${1:-start} name=${2:-${SERVER_KIND:-redis}}
D=$RUN_ROOT/$name pidfile=$RUN_ROOT/$name/pid
recall "$D/vars"
SERVER_KIND=${SERVER_KIND:-redis} SERVER_OPTIONS=${SERVER_OPTIONS:-} SENTINEL=${SENTINEL:-}
server=(redis-server)
case $SERVER_KIND in
  redis) ;;
  redis8 | valkey9)
    if [ "$SERVER_KIND" = redis8 ]; then program=redis; else program=valkey; fi
    R=$(ASSUME="adduser debconf init-system-helpers systemd systemd-standalone-sysusers" \
      "$SERVERS_DIR/fetch_root.sh" sid "$SERVER_KIND" $program-server $program-tools)
    tree_loader "$R"
    # one binary for server, sentinel and checks, told by argv[0]
    server=("${LD[@]}" --argv0 "$program-server" "$R/usr/bin/$program-server")
    ;;
  *) die "SERVER_KIND $SERVER_KIND?" ;;
esac
cli() { redis-cli -h 127.0.0.1 -p "$(cat "$D/port")" "$@"; }
ready() { [ "$(timeout 2 redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null)" = PONG ]; }
case $cmd in
  start)
    mkdir -p "$D"
    if alive "$pidfile"; then cat "$D/port"; exit 0; fi
    command -v redis-server >/dev/null || { say "the package redis-server is not installed"; exit $EX_UNAVAILABLE; }
    port=$(own_port "$D" 2) t0=$(now_ms) # the second one is a cluster's bus
    port_free "$port" || die "port $port is taken"
    remember "$D/vars" SERVER_KIND SERVER_OPTIONS SENTINEL
    # Files, not the command line: a failover and CONFIG REWRITE change them.
    if [ -n "$SENTINEL" ]; then
      [ -s "$D/sentinel.conf" ] || printf 'port %s\nbind 127.0.0.1\ndir %s\n%s\n' "$port" "$D" "$SENTINEL" >"$D/sentinel.conf"
      spawn "$pidfile" "$D" "$D/log" "${server[@]}" "$D/sentinel.conf" --sentinel
    else
      # repl-diskless-sync-delay is 5 s by default, and a replica without its first sync is never promoted
      [ -s "$D/redis.conf" ] || printf '%s\n' "bind 127.0.0.1" "port $port" "dir $D" 'save ""' "appendonly yes" "appendfsync everysec" \
        "daemonize no" "protected-mode no" "repl-diskless-sync-delay 0" "$SERVER_OPTIONS" >"$D/redis.conf"
      spawn "$pidfile" "$D" "$D/log" "${server[@]}" "$D/redis.conf"
    fi
    wait_ready 60 "$pidfile" ready "$port" || { tail -20 "$D/log" >&2; exit 1; }
    say "$name ready: $(($(now_ms) - t0)) ms"
    echo "$port"
    ;;
  stop) stop_pid "$pidfile" TERM 30 ;;
  kill) stop_pid "$pidfile" KILL 5 ;;
  pause) signal_pid "$pidfile" STOP ;;
  resume) signal_pid "$pidfile" CONT ;;
  wipe) stop_pid "$pidfile" KILL 5; rm -rf "$D" ;;
  status) if alive "$pidfile"; then echo "running $(cat "$D/port")"; else echo stopped; exit 1; fi ;;
  port) cat "$D/port" ;;
  cli) shift 2; cli "$@" ;;
  *) say "usage: $0 start|stop|kill|pause|resume|wipe|status|port|cli [NAME]"; exit 2 ;;
esac

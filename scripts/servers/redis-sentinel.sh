#!/bin/bash
# redis-sentinel.sh start|stop|wipe|status|ports, kill|up|pause|resume NAME, master: a master and two replicas (sr1..sr3) under three
# sentinels (se1..se3), master name "mymaster".  `start` and `ports` print the sentinels' ports, `master` the master's.
# env: RUN_ROOT, DOWN_MS (down-after-milliseconds, 1000)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
redis=$SERVERS_DIR/redis.sh DOWN_MS=${DOWN_MS:-1000}
port_of() { cat "$RUN_ROOT/$1/port"; }
ports() { echo "$(port_of se1) $(port_of se2) $(port_of se3)"; }
master() { redis-cli -h 127.0.0.1 -p "$(port_of se1)" sentinel get-master-addr-by-name mymaster 2>/dev/null | sed -n 2p; }
formed() { # each sentinel knows two others and two replicas, and the replicas are in sync
  local i seen
  for i in 1 2 3; do
    seen=$(redis-cli -h 127.0.0.1 -p "$(port_of se$i)" sentinel master mymaster 2>/dev/null | paste - - |
      awk '$1 == "num-slaves" {s = $2} $1 == "num-other-sentinels" {o = $2} END {print s + 0, o + 0}')
    [ "$seen" = "2 2" ] || return 1
  done
  [ "$(redis-cli -h 127.0.0.1 -p "$(master)" info replication 2>/dev/null | grep -c 'state=online')" = 2 ]
}
case ${1:-start} in
  start)
    t0=$(now_ms)
    first=$("$redis" start sr1)
    for i in 2 3; do SERVER_OPTIONS="replicaof 127.0.0.1 $first" "$redis" start sr$i >/dev/null; done
    for i in 1 2 3; do
      SENTINEL="sentinel monitor mymaster 127.0.0.1 $first 2
sentinel down-after-milliseconds mymaster $DOWN_MS
sentinel failover-timeout mymaster 5000
sentinel parallel-syncs mymaster 1" "$redis" start se$i >/dev/null
    done
    wait_ready 60 "$RUN_ROOT/se1/pid" formed || die "the sentinels did not find each other"
    say "sentinels ready: $(($(now_ms) - t0)) ms, master port $(master)"
    ports
    ;;
  stop) for n in se1 se2 se3 sr1 sr2 sr3; do "$redis" stop $n; done ;;
  wipe) for n in se1 se2 se3 sr1 sr2 sr3; do "$redis" wipe $n; done ;;
  kill | pause | resume) "$redis" "$1" "$2" ;;
  up) "$redis" start "$2" ;;
  master) master ;;
  status) for n in se1 se2 se3 sr1 sr2 sr3; do echo "$n $("$redis" status $n || true)"; done ;;
  ports) ports ;;
  *) say "usage: $0 start|stop|wipe|status|ports|master, kill|up|pause|resume NAME"; exit 2 ;;
esac

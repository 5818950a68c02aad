#!/bin/bash
# redis-cluster.sh start|stop|wipe|status|ports, kill|up|pause|resume N: three masters and three replicas, rc1..rc6.
# `start` and `ports` print their ports.
# env: RUN_ROOT, SERVER_KIND as redis.sh
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
redis=$SERVERS_DIR/redis.sh
port_of() { cat "$RUN_ROOT/rc$1/port"; }
ports() { for i in 1 2 3 4 5 6; do port_of $i; done | paste -sd' '; }
node() { redis-cli -h 127.0.0.1 -p "$(port_of "$1")" "${@:2}" 2>/dev/null | tr -d '\r'; }
formed() { # every node sees the cluster as ok, knows who replicates whom, and the replicas are linked
  local i
  for i in 1 2 3 4 5 6; do
    node $i cluster info | grep -c -E '^(cluster_state:ok|cluster_slots_ok:16384|cluster_known_nodes:6)$' | grep -qx 3 || return 1
    [ "$(node $i cluster nodes | grep -c ' slave \|myself,slave ')" = 3 ] || return 1
    node $i info replication | grep -q -E '^(role:master|master_link_status:up)$' || return 1
  done
}
case ${1:-start} in
  start)
    t0=$(now_ms) pids=()
    for i in 1 2 3 4 5 6; do
      (
        mkdir -p "$RUN_ROOT/rc$i"
        bus=$(($(own_port "$RUN_ROOT/rc$i" 2) + 1))
        SERVER_OPTIONS="cluster-enabled yes
cluster-port $bus
cluster-config-file nodes.conf
cluster-node-timeout 1500
cluster-announce-ip 127.0.0.1" "$redis" start rc$i >/dev/null
      ) &
      pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    if ! node 1 cluster info | grep -q 'cluster_known_nodes:6'; then
      members=()
      for i in 1 2 3 4 5 6; do members+=("127.0.0.1:$(port_of $i)@$(($(port_of $i) + 1))"); done
      redis-cli --cluster create "${members[@]}" --cluster-replicas 1 --cluster-yes >"$RUN_ROOT/rc-create.log" 2>&1 ||
        { tail "$RUN_ROOT/rc-create.log" >&2; exit 1; }
    fi
    wait_ready 150 "$RUN_ROOT/rc1/pid" formed || die "the cluster is not ok"
    say "redis cluster ready: $(($(now_ms) - t0)) ms"
    ports
    ;;
  stop | wipe) for i in 1 2 3 4 5 6; do "$redis" "$1" rc$i; done ;;
  kill | pause | resume) "$redis" "$1" "rc$2" ;;
  up) "$redis" start "rc$2" ;;
  status) for i in 1 2 3 4 5 6; do echo "rc$i $("$redis" status rc$i || true)"; done ;;
  ports) ports ;;
  *) say "usage: $0 start|stop|wipe|status|ports, kill|up|pause|resume N"; exit 2 ;;
esac

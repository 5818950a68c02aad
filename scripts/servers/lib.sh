# shellcheck shell=bash
# Sourced by the server scripts of this folder: daemons by hand, one folder each below RUN_ROOT, signalled by pid only.
#
# RUN_ROOT              where the throwaway data of this run is; the caller gives it
# SLUICE_SERVERS_CACHE  unpacked server trees and downloaded packages, reused by later runs
# SERVER_TEMPLATES      a folder: empty data folders are made there once and copied from then on

SERVERS_DIR=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
REPO_DIR=$(dirname "$(dirname "$SERVERS_DIR")")
CACHE_DIR=${SLUICE_SERVERS_CACHE:-$REPO_DIR/build/servers}
# What callers report as "skipped": a server that cannot be had here.
readonly EX_UNAVAILABLE=75
# The data of these servers is thrown away; nobody but the caller is to read it meanwhile.
umask 077

say() { echo "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }
now_ms() { date +%s%3N; }

# Normalizes RUN_ROOT and makes it.
need_run_root() {
  [ -n "${RUN_ROOT:-}" ] || { say "$(basename "$0"): set RUN_ROOT to a folder for the throwaway data"; exit 2; }
  RUN_ROOT=$(readlink -m "$RUN_ROOT")
  export RUN_ROOT
  mkdir -p "$RUN_ROOT"
}

# recall FILE: the variables a server was first started with, unless the environment says otherwise now.
recall() {
  # shellcheck disable=SC1090
  if [ -s "$1" ]; then . "$1"; fi
}
# remember FILE NAME...
remember() {
  local file=$1 name
  shift
  for name in "$@"; do printf '[ -n "${%s+x}" ] || %s=%q\n' "$name" "$name" "${!name}"; done >"$file"
}

# fresh_data KEY FOLDER CMD...: FOLDER as CMD makes it, or as CMD made it for the same KEY before.
fresh_data() {
  local template=${SERVER_TEMPLATES:-}/$1 folder=$2
  shift 2
  if [ -z "${SERVER_TEMPLATES:-}" ]; then "$@"; return; fi
  mkdir -p "$SERVER_TEMPLATES"
  {
    flock 8
    if [ ! -d "$template" ]; then
      "$@"
      rm -rf "$template.new"
      cp -a --sparse=always "$folder" "$template.new"
      mv "$template.new" "$template"
      return
    fi
  } 8>"$template.lock"
  rm -rf "$folder"
  cp -a --sparse=always "$template" "$folder"
}

# sql_answers: by sql() and the socket of the script's $D; the client is not started in vain.
sql_answers() { [ -S "$(cat "$D/socket")" ] && sql -e 'select 1'; }

proc_start() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
proc_state() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1; }
# alive PIDFILE: true while the process recorded there (same start time: pids are reused) lives.
alive() {
  local pid='' start=''
  [ -s "$1" ] || return 1
  read -r pid start <"$1" || true
  [ -n "$pid" ] && [ -r "/proc/$pid/stat" ] || return 1
  [ "$(proc_start "$pid")" = "$start" ] || return 1
  # A killed leader is a zombie while its other threads still hold the sockets: dead only when it is alone.
  case $(proc_state "$pid") in
    Z | X) local tasks=(/proc/"$pid"/task/*); [ ${#tasks[@]} -gt 1 ] ;;
  esac
}

# spawn PIDFILE FOLDER LOG CMD...: in a session of its own, no descriptor shared with the caller (a lock or a pipe held by a
# daemon outlives its purpose).  SLUICE_SERVER_OF marks the process and its children as this run's (see `leftovers`).
spawn() {
  local pidfile=$1 folder=$2 log=$3 fd pid
  shift 3
  (
    cd "$folder" || exit 1
    for fd in "/proc/$BASHPID/fd"/*; do
      fd=${fd##*/}
      if [ "$fd" -gt 2 ]; then eval "exec $fd>&-" 2>/dev/null || true; fi
    done
    SLUICE_SERVER_OF=$RUN_ROOT exec setsid "$@"
  ) </dev/null >>"$log" 2>&1 &
  # exec keeps the pid: setsid forks only as the leader of a group, and a background job of a script is none.
  pid=$!
  echo "$pid $(proc_start "$pid")" >"$pidfile"
}
# wait_ready SECONDS PIDFILE CMD...: polls CMD, fails at once when the process dies.
wait_ready() {
  local pidfile=$2 end
  end=$(($(now_ms) + $1 * 1000))
  shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$pidfile" || { say "process died while starting"; return 1; }
    [ "$(now_ms)" -lt "$end" ] || { say "not ready in time"; return 1; }
    sleep 0.05
  done
}
# wait_gone PIDFILE SECONDS
wait_gone() {
  local end
  end=$(($(now_ms) + $2 * 1000))
  while alive "$1"; do
    [ "$(now_ms)" -lt "$end" ] || return 1
    sleep 0.05
  done
}
# stop_pid PIDFILE SIGNAL SECONDS: signal, wait, KILL at the end.
stop_pid() {
  local pidfile=$1 signal=$2 seconds=$3 pid
  if alive "$pidfile"; then
    read -r pid _ <"$pidfile"
    kill -"$signal" "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true # a paused one has to hear it
    if ! wait_gone "$pidfile" "$seconds"; then
      kill -KILL "$pid" 2>/dev/null || true
      wait_gone "$pidfile" 20 || { say "pid $pid does not die"; return 1; }
    fi
  fi
  rm -f "$pidfile"
}
# signal_pid PIDFILE SIGNAL
signal_pid() {
  local pid
  alive "$1" || { say "not running"; return 1; }
  read -r pid _ <"$1"
  kill -"$2" "$pid"
}

# leftovers: "pid command" of every process that this run's spawn() began, and of their children.
leftovers() {
  local file pid command
  { grep -lszxF -- "SLUICE_SERVER_OF=$RUN_ROOT" /proc/[0-9]*/environ || true; } | while read -r file; do
    pid=${file#/proc/}
    pid=${pid%/environ}
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || true
    if [ -n "$command" ]; then echo "$pid ${command:0:120}"; fi # none: a zombie
  done
}

# pick_ports COUNT: the first of COUNT free consecutive ports, found by binding them; out of the range the kernel gives to
# clients (one of those could take the port of a server that is down for a moment), not twice in one RUN_ROOT.
pick_ports() {
  (
    flock 9
    perl -MSocket -e '
      my ($count, $file) = @ARGV;
      my ($low, $high) = (17000, 31000);
      if (open(my $f, "<", "/proc/sys/net/ipv4/ip_local_port_range")) {
        my ($first) = split(" ", <$f>);
        $high = $first - 100 if $first > $low + 2000 && $first < $high;
      }
      my %taken;
      if (open(my $f, "<", $file)) { while (<$f>) { my ($b, $n) = split; $taken{$_} = 1 for $b .. $b + $n - 1; } }
      sub is_free {
        socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
        return bind($s, sockaddr_in($_[0], INADDR_ANY)) && listen($s, 1);
      }
      TRY: for (1 .. 500) {
        my $base = $low + int(rand($high - $low - $count));
        for my $port ($base .. $base + $count - 1) { next TRY if $taken{$port} || !is_free($port); }
        open(my $f, ">>", $file) or die "$file: $!";
        print $f "$base $count\n";
        print "$base\n";
        exit 0;
      }
      die "no $count free ports\n"' "$1" "$RUN_ROOT/.ports"
  ) 9>"$RUN_ROOT/.ports.lock"
}
# own_port FOLDER COUNT: the port a server keeps for life, chosen at its first start.
own_port() {
  if [ ! -s "$1/port" ]; then
    pick_ports "$2" >"$1/port.new"
    mv "$1/port.new" "$1/port"
  fi
  cat "$1/port"
}
# port_free PORT: nobody listens there on loopback (waits for one that is going away).
port_free() {
  local i
  for i in {1..60}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 0
    sleep 0.05
  done
  return 1
}
# socket_path FOLDER: a unix socket's path has 107 bytes at most; a deep folder gets a short one elsewhere.
socket_path() {
  if [ ! -s "$1/socket" ]; then
    if [ "${#1}" -le 95 ]; then echo "$1/sock"; else echo "$(mktemp -d "${TMPDIR:-/tmp}/sluice.XXXXXX")/sock"; fi >"$1/socket"
  fi
  cat "$1/socket"
}
# wipe_folder FOLDER: with the socket's, where that is elsewhere.
wipe_folder() {
  local socket
  if [ -s "$1/socket" ]; then
    socket=$(cat "$1/socket")
    case $socket in "$1"/*) ;; */sluice.??????/sock) rm -rf "$(dirname "$socket")" ;; esac
  fi
  rm -rf "$1"
}

# Unpacked trees are of this machine's architecture.
tree_names() {
  case $(dpkg --print-architecture 2>/dev/null) in
    amd64) TREE_ARCH=amd64 TREE_TRIPLE=x86_64-linux-gnu TREE_LD=lib64/ld-linux-x86-64.so.2 ;;
    arm64) TREE_ARCH=arm64 TREE_TRIPLE=aarch64-linux-gnu TREE_LD=lib/ld-linux-aarch64.so.1 ;;
    *) say "servers of newer Debian releases are unpacked on amd64 and arm64 only"; exit $EX_UNAVAILABLE ;;
  esac
}
# tree_loader ROOT: sets LD to the command prefix that runs a program of an unpacked tree with the tree's own libraries.
tree_loader() {
  tree_names
  # shellcheck disable=SC2034
  LD=("$1/$TREE_LD" --library-path "$1/usr/lib/$TREE_TRIPLE")
}

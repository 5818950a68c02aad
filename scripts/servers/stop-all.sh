#!/bin/bash
# stop-all.sh: ends every server that was started with this RUN_ROOT (KILL, by pid: their data is thrown away), waits until none of
# their processes is left, and removes RUN_ROOT.
# env: RUN_ROOT; KEEP=1 keeps the folder
# exit: 1 when a process is left
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
need_run_root
for pidfile in "$RUN_ROOT"/*/pid; do
  if [ -s "$pidfile" ]; then stop_pid "$pidfile" KILL 10 & fi
done
wait
# Children end when they see their parent gone.  What does not (an epmd that a node forked because it was stopped while starting) bears
# this run's mark, and is ended by its pid.
for seconds in 5 10; do
  end=$(($(now_ms) + seconds * 1000))
  while left=$(leftovers) && [ -n "$left" ] && [ "$(now_ms)" -lt "$end" ]; do sleep 0.1; done
  [ -n "$left" ] || break
  cut -d' ' -f1 <<<"$left" | xargs -r kill -KILL 2>/dev/null || true
done
if [ -n "$left" ]; then
  say "still running:"
  say "$left"
  exit 1
fi
if [ -z "${KEEP:-}" ]; then
  for folder in "$RUN_ROOT"/*/; do if [ -d "$folder" ]; then wipe_folder "${folder%/}"; fi; done
  rm -rf "$RUN_ROOT"
fi

#!/bin/bash
# fetch_root.sh SUITE NAME PKG...: unpacks packages of another Debian SUITE, with all they depend on, into
# $SLUICE_SERVERS_CACHE/root-NAME; prints that folder.
# apt resolves and downloads with a state of its own (no root, no lock, nothing of the host changes), dpkg-deb -x unpacks; no
# maintainer script runs.  The mirror is the one this system's apt uses.  Does nothing when the tree is there.
# env: ASSUME="pkg pkg" are treated as installed: they and what only they need are left out.
# exit: 0; 75 when the mirror does not have it or cannot be reached.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/lib.sh"
[ $# -ge 3 ] || { say "usage: $0 SUITE NAME PKG..."; exit 2; }
suite=$1 name=$2
shift 2
dest=$CACHE_DIR/root-$name state=$CACHE_DIR/cache/apt-$suite
want="$suite $* assume=${ASSUME:-}"
complete() { [ -f "$dest/.complete" ] && [ "$(head -1 "$dest/.complete")" = "$want" ]; }
if complete; then echo "$dest"; exit 0; fi

mkdir -p "$CACHE_DIR"
exec 9>"$CACHE_DIR/.lock"
flock 9 # one download at a time; the next one finds the tree
if complete; then echo "$dest"; exit 0; fi
tree_names
command -v apt-get >/dev/null || { say "no apt here: $name cannot be unpacked"; exit $EX_UNAVAILABLE; }
mirror=$(apt-get indextargets --format "\$(REPO_URI) \$(LABEL)" "Identifier: Packages" 2>/dev/null | sed -n 's/ Debian$//p' | head -1)
[ -n "$mirror" ] || { say "apt knows no Debian mirror (run apt-get update once): $name cannot be unpacked"; exit $EX_UNAVAILABLE; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || { say "$keyring is missing (package debian-archive-keyring): $name cannot be unpacked"; exit $EX_UNAVAILABLE; }

rm -rf "$dest" # what an interrupted run left
mkdir -p "$state"/{lists/partial,cache/archives/partial,etc} "$dest/.none/partial"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$state/etc/sources.list"
: >"$dest/.status"
for p in ${ASSUME:-}; do
  printf 'Package: %s\nStatus: install ok installed\nArchitecture: %s\nMulti-Arch: allowed\nMaintainer: x <x@x>\nVersion: 999:1\nDescription: x\n\n' "$p" "$TREE_ARCH"
done >>"$dest/.status"
cat >"$dest/.apt.conf" <<CONF
Dir::Etc::sourcelist "$state/etc/sources.list"; Dir::Etc::sourceparts "-"; Dir::Etc::preferencesparts "-";
Dir::State::Lists "$state/lists"; Dir::Cache "$state/cache"; Dir::State::status "$dest/.status";
Dir::State::extended_states "$dest/.ext"; Dir::Log "$state"; APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false"; APT::Architecture "$TREE_ARCH"; APT::Architectures { "$TREE_ARCH"; };
Acquire::Languages "none"; Acquire::Retries "3"; Debug::NoLocking "true";
CONF
export APT_CONFIG=$dest/.apt.conf

update() {
  apt-get -q update >"$state/update.log" 2>&1 || {
    tail -5 "$state/update.log" >&2
    say "the lists of Debian $suite cannot be read from the mirror apt is set up with: no $name"
    exit $EX_UNAVAILABLE
  }
}
download() {
  # --print-uris leaves out what the archive cache holds, so it is asked with an empty one.
  apt-get -q -y -o Dir::Cache::archives="$dest/.none" --print-uris install "$@" 2>"$dest/.resolve.log" |
    sed -n "s/^'[^']*' \([^ ]*\) \([0-9]*\) .*/\1 \2/p" >"$dest/.debs"
  [ -s "$dest/.debs" ] || return 1
  apt-get -q -y --download-only install "$@" >"$dest/.download.log" 2>&1
}
give_up() {
  tail -5 "$dest/.resolve.log" "$dest/.download.log" >&2 2>/dev/null || true
  say "the mirror apt is set up with does not have ($*) of Debian $suite: no $name"
  rm -rf "$dest"
  exit $EX_UNAVAILABLE
}
# The lists are good for a day; the suites move on, and a package of yesterday's list may be gone.
fresh=
if [ -z "$(find "$state/lists" -name '*Packages*' -mmin -1440 -print -quit)" ]; then update; fresh=1; fi
if ! download "$@"; then
  [ -z "$fresh" ] || give_up "$@"
  update
  download "$@" || give_up "$@"
fi
# Merged /usr, so that /lib and /usr/lib paths both resolve.
for d in bin sbin lib lib64; do
  mkdir -p "$dest/usr/$d"
  [ -e "$dest/$d" ] || ln -s "usr/$d" "$dest/$d"
done
while read -r file _; do
  deb=$state/cache/archives/$file
  [ -e "$deb" ] || die "apt did not leave $file"
  dpkg-deb -x "$deb" "$dest"
done <"$dest/.debs"
{ echo "$want"; awk '{n++; s += $2} END {printf "%d packages, %.1f MB\n", n, s / 1e6}' "$dest/.debs"; } >"$dest/.complete"
say "$name: $(tail -1 "$dest/.complete") unpacked"
echo "$dest"

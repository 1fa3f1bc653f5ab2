# SPDX-License-Identifier: Apache-2.0
# What differs on arm64: its system-call table and the filters made for it, and the shim's and the workers' own.
. /opt/vm/guest/lib.sh
archives=/opt/vm/archives

is "this is arm64" aarch64 "$(uname -m)"
casemate load -i $archives/busybox.tar >/dev/null

check "the probe of the embedded image runs" bash -c "casemate run --rm casemate/hello probe >/var/tmp/inside"
value()
{
    sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}$/\1/p" /var/tmp/inside
}
check "system calls that are reachable ($(value syscalls_reachable)) are few" test "$(value syscalls_reachable)" -le 220
is "families of sockets" '["UNIX","INET","INET6"]' "$(value socket_families)"
is "capabilities, effective" 0 "$(value cap_eff)"
is "capabilities, bounding" 0 "$(value cap_bnd)"
is "no_new_privs" 1 "$(value no_new_privs)"
is "filtered" 2 "$(value seccomp)"
check "a filter for more capabilities is compiled" casemate run --rm --cap-add NET_RAW busybox true
check "a server's entrypoint can switch its user" casemate run --rm --cap-add @switch-user busybox \
    sh -c 'chown 1000 /tmp && su -s /bin/sh app -c "id -u"'
check "exec, logs and stop work" bash -c 'casemate run -d --name living busybox sh -c "echo said; exec sleep 1000" &&
    casemate exec living true && casemate logs living | grep -q ^said$ && casemate stop -t 1 living && casemate rm living'
finish

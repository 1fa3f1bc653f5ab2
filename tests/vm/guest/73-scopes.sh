# SPDX-License-Identifier: Apache-2.0
# casemate-runtime with the systemd cgroup driver, under a real systemd: scopes, their limits after systemd has looked at its tree again, names,
# what has failed, an ordinary user, what is left.
. /opt/vm/guest/lib.sh
root=/run/scopes
bundle=/var/bundle # /run has no devices
mkdir -p $bundle/rootfs/bin $bundle/rootfs/proc $bundle/rootfs/dev $bundle/rootfs/sys
cp /bin/busybox $bundle/rootfs/bin/busybox
ln -s busybox $bundle/rootfs/bin/sh
major=$((0x$(stat -c %t /dev/vda)))
minor=$((0x$(stat -c %T /dev/vdb)))
mknod -m 666 $bundle/rootfs/dev/denied b $major 0
mknod -m 666 $bundle/rootfs/dev/allowed b $major $minor

runtime()
{
    casemate-runtime --root $root --systemd-cgroup "$@"
}

# config CGROUPS-PATH RESOURCES [MORE]: members of `linux`, and of the document.
config()
{
    cat >$bundle/config.json <<JSON
{"ociVersion": "1.0.2", "process": {"user": {"uid": 0, "gid": 0}, "args": ["busybox", "sleep", "1000"], "env": ["PATH=/bin"], "cwd": "/"},
 "root": {"path": "$bundle/rootfs"}, "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}],
 "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "cgroup"}], "cgroupsPath": "$1", "resources": {$2}} ${3:+, $3}}
JSON
}

run()
{
    (cd $bundle && runtime run -d "$1" >/dev/null 2>/run/error </dev/null) || { cat /run/error; return 1; }
}

group_in()
{
    echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(runtime state "$1" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')/cgroup")"
}

limits()
{
    echo "$(cat "$group/memory.max") $(cat "$group/cpu.max") $(cat "$group/cpu.weight") $(cat "$group/pids.max") $(cat "$group/cpuset.cpus")"
}

asked='"memory": {"limit": 67108864, "swap": 67108864}, "cpu": {"quota": 50000, "period": 100000, "shares": 512, "cpus": "0"}, "pids": {"limit": 33},
 "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "b", "major": '$major', "minor": '$minor', "access": "r"}]'
config "casemate-test.slice:box:one" "$asked" '"annotations": {"org.systemd.property.TimeoutStopSec": "7.5", "org.systemd.property.Description": "'"'A box'"'"}'
check "a container with limits, by systemd" run one
group=$(group_in one)
is "its group is that of a scope in the slice" /sys/fs/cgroup/casemate.slice/casemate-test.slice/box-one.scope "$group"
is "systemd knows it" "active running yes" "$(systemctl show -P ActiveState box-one.scope) $(systemctl show -P SubState box-one.scope) $(systemctl show -P Delegate box-one.scope)"
is "the container's process is all that it has" 1 "$(wc -l <"$group/cgroup.procs")"
before="67108864 50000 100000 20 33 0"
is "its limits" "$before" "$(limits)"
is "swap" 0 "$(cat "$group/memory.swap.max")"
is "systemd knows them" "67108864 0 500ms 20 33 0" "$(for p in MemoryMax MemorySwapMax CPUQuotaPerSecUSec CPUWeight TasksMax AllowedCPUs; do systemctl show -P $p box-one.scope; done | xargs)"
is "annotations are properties" "7.500000s A box" "$(systemctl show -P TimeoutStopUSec box-one.scope) $(systemctl show -P Description box-one.scope)"
check "device rules hold" denies 'not permitted' runtime exec one busybox head -c 1 /dev/denied
check "and what they allow is allowed" runtime exec one busybox head -c 1 /dev/allowed
systemctl daemon-reload
systemctl set-property --runtime casemate-test.slice CPUWeight=50
systemctl daemon-reexec
is "systemd leaves them alone when it looks again" "$before" "$(limits)"
check "device rules hold then, too" denies 'not permitted' runtime exec one busybox head -c 1 /dev/denied
check "exec" says '^0$' runtime exec one busybox id -u
check "update" runtime update --memory 100m --memory-swap 100m --pids-limit 50 --cpu-quota -1 one
after="104857600 max 100000 20 50 0"
is "sets the new limits" "$after" "$(limits)"
systemctl daemon-reload
is "which systemd leaves alone" "$after" "$(limits)"
check "pause" runtime pause one
check "resume" runtime resume one
config "casemate-test.slice:box:one" ""
check "a second one of that unit is refused" denies 'box-one.scope.*(already|exists)' run two
check "and the first one still runs" says running runtime state one
check "delete --force" runtime delete --force one
is "nothing is left of the scope" "inactive not-found" "$(systemctl show -P ActiveState box-one.scope) $(systemctl show -P LoadState box-one.scope)"
check "nor of its group" test ! -e "$group"

config "" '"memory": {"limit": 16777216, "swap": 16777216}'
sed -i 's/"busybox", "sleep", "1000"/"busybox", "tail", "\/dev\/zero"/; s/"cwd"/"oomScoreAdj": 1000, "cwd"/' $bundle/config.json
check "without cgroupsPath, a name with a sign that units cannot have" run a+b
check "what takes too much ends" until_true 'casemate-runtime --root '$root' state a+b | grep -q stopped'
check "delete of what was killed" runtime delete a+b
is "no scope has failed" "" "$(systemctl list-units --all --no-legend 'casemate-*.scope' | xargs)"
config "system.slice:box" ""
check "a path of another form is refused by name" denies 'linux.cgroupsPath.*slice:prefix:name' run odd
config "system.slice:box:odd" "" '"annotations": {"org.systemd.property.NoSuchThing": "5"}'
check "systemd's own words name an unknown property" denies 'box-odd.scope.*NoSuchThing' run odd
config "system.slice:box:killed" ""
sed -i 's/"linux"/"hooks": {"createRuntime": [{"path": "\/bin\/busybox", "args": ["busybox", "sleep", "1000"]}]}, "linux"/' $bundle/config.json
(cd $bundle && exec casemate-runtime --root $root --systemd-cgroup create killed >/dev/null 2>&1 </dev/null) &
create=$!
check "a creation that is under way" until_true 'systemctl is-active --quiet box-killed.scope'
kill -KILL $create
check "is killed, and deleted" runtime delete --force killed
is "with its scope" not-found "$(systemctl show -P LoadState box-killed.scope)"
is "no container is left" "" "$(ls $root)"

# An ordinary user, outside of the user's manager's groups, as a session is.
if ! id rl >/dev/null 2>&1; then
    useradd --create-home --shell /bin/bash rl
    mkdir -p /etc/systemd/system/user@.service.d
    printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >/etc/systemd/system/user@.service.d/delegate.conf
    systemctl daemon-reload
fi
uid=$(id -u rl)
loginctl enable-linger rl
check "the user's manager runs" until_true "systemctl is-active --quiet user@$uid.service && [ -S /run/user/$uid/bus ]"
mine()
{
    env -i PATH="$PATH" HOME=/home/rl LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=/run/user/$uid setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@" </dev/null
}
config "" '"memory": {"limit": 67108864}, "pids": {"limit": 33}'
sed -i 's/"namespaces": \[/"uidMappings": [{"containerID": 0, "hostID": '"$uid"', "size": 1}], "gidMappings": [{"containerID": 0, "hostID": '"$uid"', "size": 1}], &{"type": "user"}, /' $bundle/config.json
rm $bundle/rootfs/dev/denied $bundle/rootfs/dev/allowed
chown -R rl:rl $bundle
cd $bundle || exit
check "an ordinary user's container with limits" bash -c '"$@" >/dev/null 2>/run/error </dev/null || ! cat /run/error' bash \
    env -i PATH="$PATH" XDG_RUNTIME_DIR=/run/user/$uid setpriv --reuid "$uid" --regid "$uid" --clear-groups casemate-runtime --systemd-cgroup run -d own
pid=$(mine casemate-runtime state own | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
is "its group is that of a scope of the user's manager" "/sys/fs/cgroup/user.slice/user-$uid.slice/user@$uid.service/user.slice/casemate-own.scope" "$group"
is "its limits" "67108864 33" "$(cat "$group/memory.max") $(cat "$group/pids.max")"
is "the user's systemd knows them" "67108864 33" "$(mine systemctl --user show -P MemoryMax casemate-own.scope) $(mine systemctl --user show -P TasksMax casemate-own.scope)"
mine casemate-runtime exec own busybox sleep 1000 >/dev/null 2>&1 &
check "what is entered is in the group" until_true "[ \$(wc -l <'$group/cgroup.procs') -gt 1 ]"
check "exec" says '^0$' mine casemate-runtime exec own busybox id -u
check "update" mine casemate-runtime update --memory 96m own
is "sets the new limit" 100663296 "$(cat "$group/memory.max")"
check "pause" mine casemate-runtime pause own
is "freezes it" 1 "$(cat "$group/cgroup.freeze")"
check "delete --force" mine casemate-runtime delete --force own
is "nothing is left of the scope" not-found "$(mine systemctl --user show -P LoadState casemate-own.scope)"
is "and no process of ours" "" "$(pgrep -x casemate-runtim; pgrep -x casemate-enter)"
finish

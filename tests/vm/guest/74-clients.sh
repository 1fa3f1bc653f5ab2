# SPDX-License-Identifier: Apache-2.0
# Docker, Podman and containerd, as Debian has them, run, enter, limit, pause, update and end containers through casemate-runtime on cgroup v2:
# with systemd's control groups where it is the first process, with the runtime's own elsewhere. tests/e2e/test_oci_clients.py asks more of them.
. /opt/vm/guest/lib.sh
program=$(command -v casemate-runtime)
grep -qx systemd=yes /opt/vm/machine && driver=systemd || driver=cgroupfs

files=/var/files
mkdir -p $files/bin $files/etc
cp /bin/busybox $files/bin/busybox
for applet in sh id sleep cat; do
    ln -s busybox $files/bin/$applet
done
echo root:x:0:0:root:/:/bin/sh >$files/etc/passwd
tar -cf /var/files.tar -C $files .

# group_of_pid PID
group_of_pid()
{
    echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
}

# placed CLIENT PID PATTERN: where the group is, by the driver.
placed()
{
    group=$(group_of_pid "$2")
    if [ $driver = systemd ]; then
        check "$1: its group is that of a scope ($group)" grep -qE "$3" <<<"$group"
        scope=$(basename "$group")
        is "$1: systemd knows the limit" "67108864 running" "$(systemctl show -P MemoryMax "$scope") $(systemctl show -P SubState "$scope")"
    else
        check "$1: its group is no unit's ($group)" bash -c "! grep -qE '\.(scope|slice)/' <<<'$group/'"
    fi
}

gone()
{
    check "$1: its group is gone" until_true "[ ! -e $group ]"
    [ $driver != systemd ] || is "$1: and its scope" not-found "$(systemctl show -P LoadState "$scope")"
}

# What the command lines of Docker and Podman have in common. The client is "$@".
life()
{
    local name=$1
    shift
    local -a client=("$@")
    check "$name: run, with limits" "${client[@]}" run -d --name box "${more[@]}" -m 64m --memory-swap 64m --pids-limit 50 --cpus 0.5 box sleep 1000
    pid=$("${client[@]}" inspect -f '{{.State.Pid}}' box)
    placed "$name" "$pid" '/(system|machine)\.slice/(docker|libpod)-[0-9a-f]{64}\.scope'
    is "$name: the limits" "67108864 50 50000 100000" "$(cat "$group/memory.max") $(cat "$group/pids.max") $(cat "$group/cpu.max")"
    check "$name: exec" says '^0$' "${client[@]}" exec box id -u
    check "$name: pause" "${client[@]}" pause box
    is "$name: freezes it" 1 "$(cat "$group/cgroup.freeze")"
    check "$name: unpause" "${client[@]}" unpause box
    check "$name: update" "${client[@]}" update --memory 96m --memory-swap 96m box
    is "$name: sets the new limit" 100663296 "$(cat "$group/memory.max")"
    check "$name: kill" "${client[@]}" kill box
    is "$name: it was killed" 137 "$("${client[@]}" wait box)"
    check "$name: rm" "${client[@]}" rm box
    gone "$name"
    "${client[@]}" run --rm "${more[@]}" box sh -c 'exit 9' >/run/out 2>&1
    is "$name: the exit status" 9 $?
}

dockerd --exec-opt native.cgroupdriver=$driver --add-runtime casemate="$program" --iptables=false --bridge=none >/run/dockerd.log 2>&1 </dev/null &
docker=$!
until_true 'docker version >/dev/null 2>&1' || tail -n 20 /run/dockerd.log
check "docker: the image" docker import /var/files.tar box
more=(--runtime casemate --network none)
life docker docker

ctr=(ctr -a /run/docker/containerd/containerd.sock)
how=(--runtime io.containerd.runc.v2 --runc-binary "$program" --rootfs)
[ $driver != systemd ] || how+=(--runc-systemd-cgroup --cgroup system.slice:ctr:box)
check "containerd: run, with a limit" "${ctr[@]}" run -d --memory-limit 67108864 "${how[@]}" $files box sleep 1000
pid=$("${ctr[@]}" task ls | sed -n 's/^box *\([0-9]*\) .*/\1/p')
placed containerd "$pid" '/system\.slice/ctr-box\.scope'
is "containerd: the limit" 67108864 "$(cat "$group/memory.max")"
check "containerd: exec" says '^0$' "${ctr[@]}" task exec --exec-id e box id -u
check "containerd: pause" "${ctr[@]}" task pause box
is "containerd: freezes it" 1 "$(cat "$group/cgroup.freeze")"
check "containerd: resume" "${ctr[@]}" task resume box
check "containerd: metrics" says '^memory.usage|^memory.*usage' "${ctr[@]}" task metrics box
check "containerd: kill" "${ctr[@]}" task kill -s KILL box
check "containerd: it ends" until_true '"${ctr[@]}" task ls | grep -q STOPPED'
"${ctr[@]}" task rm box >/dev/null 2>&1
check "containerd: rm" "${ctr[@]}" container rm box
gone containerd
kill $docker
wait $docker

# Its own choice of a manager, which follows the first process.
podman=(podman --runtime "$program" --events-backend file)
check "podman: the image" "${podman[@]}" import -q /var/files.tar box
is "podman: the manager is" $driver "$("${podman[@]}" info -f '{{.Host.CgroupManager}}')"
more=(--network none)
life podman "${podman[@]}"

# Without root, in scopes of the user's manager.
if [ $driver = systemd ]; then
    useradd --create-home --shell /bin/bash rl
    uid=$(id -u rl)
    mkdir -p /etc/systemd/system/user@.service.d
    printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >/etc/systemd/system/user@.service.d/delegate.conf
    systemctl daemon-reload
    loginctl enable-linger rl
    check "the user's manager runs" until_true "systemctl is-active --quiet user@$uid.service && [ -S /run/user/$uid/bus ]"
    mine=(env -i PATH="$PATH" HOME=/home/rl LC_ALL=C.UTF-8 XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus"
        setpriv --reuid "$uid" --regid "$uid" --clear-groups "${podman[@]}")
    cd /home/rl || exit
    check "podman without root: the image" "${mine[@]}" import -q /var/files.tar box
    check "podman without root: run, with limits" "${mine[@]}" run -d --name box --network none -m 64m --pids-limit 50 box sleep 1000
    pid=$("${mine[@]}" inspect -f '{{.State.Pid}}' box)
    group=$(group_of_pid "$pid")
    check "podman without root: its group is that of a scope of the user's manager ($group)" grep -qE "/user@$uid\.service/.*libpod-[0-9a-f]{64}\.scope" <<<"$group"
    is "podman without root: the limits" "67108864 50" "$(cat "$group/memory.max") $(cat "$group/pids.max")"
    check "podman without root: exec" says '^0$' "${mine[@]}" exec box id -u
    check "podman without root: kill" "${mine[@]}" kill box
    check "podman without root: rm" "${mine[@]}" rm -f box
    check "podman without root: its group is gone" until_true "[ ! -e $group ]"
fi
is "no container is left" "" "$(ls /run/casemate-runtime 2>/dev/null)"
finish
